#define CAF_SUITE request_rules

#include "http/request_rules.hpp"

#include "support/receive_request.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace tidings;
using namespace std::string_literals;

/// Whole and byte by byte: how bytes are cut into segments must not matter.
void check_refused(const char* name, const std::string& bytes) {
  CAF_MESSAGE(name);
  auto whole = test::receive(bytes, bytes.size());
  auto pieces = test::receive(bytes, 1);
  CAF_CHECK(!whole.accepted);
  CAF_CHECK(!pieces.accepted);
  CAF_CHECK(!whole.why.empty());
}

void check_accepted(const char* name, const std::string& bytes, const std::string& body) {
  CAF_MESSAGE(name);
  for (auto step : {bytes.size(), size_t{1}}) {
    auto x = test::receive(bytes, step);
    CAF_CHECK_EQUAL(x.why, "");
    CAF_CHECK(x.accepted);
    CAF_CHECK_EQUAL(x.body, body);
    CAF_CHECK_EQUAL(x.left_over, 0u);
    CAF_CHECK(!x.injected);
  }
}

struct hostile {
  const char* name;
  std::string bytes;
};

std::string post(const std::string& fields, const std::string& body) {
  return "POST /topics/t HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}

std::string get(const std::string& fields, const std::string& body = {}) {
  return "GET /topics/t HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}

std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

std::string line(const std::string& request_line) {
  return request_line + "\r\nHost: h\r\n\r\n";
}

std::string repeated(const std::string& x, size_t n) {
  std::string y;
  for (size_t i = 0; i < n; ++i)
    y += x;
  return y;
}

// -- the corpus -----------------------------------------------------------------------------------

// What Beast 1.81 refuses by itself; some of it is refused before by our rules.
const std::vector<hostile> known_to_beast{
  {"CL, then TE", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
  {"TE, then CL", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n")},
  {"two different CL", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")},
  {"CL with plus", post("Content-Length: +3\r\n", "abc")},
  {"CL with minus", post("Content-Length: -3\r\n", "abc")},
  {"CL in hex", post("Content-Length: 0x3\r\n", "abc")},
  {"CL with space inside", post("Content-Length: 3 3\r\n", "abc")},
  {"CL empty", post("Content-Length:\r\n", "abc")},
  {"CL overflows", post("Content-Length: 18446744073709551619\r\n", "abc")},
  {"CL with vertical tab", post("Content-Length: \v3\r\n", "abc")},
  {"CL with letters", post("Content-Length: 3a\r\n", "abc")},
  {"CL with fraction", post("Content-Length: 3.0\r\n", "abc")},
  {"TE chunked twice on two lines",
   post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
  {"TE chunked, then a line with identity",
   post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")},
  {"space before colon", post("Content-Length : 3\r\n", "abc")},
  {"tab before colon", post("Content-Length\t: 3\r\n", "abc")},
  {"bare LF after a field", post("X: 1\nContent-Length: 3\r\n", "abc")},
  {"bare LF after the request line", "POST / HTTP/1.1\nHost: h\r\n\r\n"},
  {"bare LF everywhere", "GET / HTTP/1.1\nHost: h\n\n"},
  {"bare CR in a value", post("X: 1\rContent-Length: 3\r\n", "abc")},
  {"bare CR after the request line", "GET / HTTP/1.1\rHost: h\r\n\r\n"},
  {"CR CR LF", get("X: 1\r\r\n")},
  {"NUL in a value", get("X: a\0b\r\n"s)},
  {"NUL in a name", get("X\0Y: a\r\n"s)},
  {"control character in a value", get("X: a\x01 b\r\n")},
  {"DEL in a value", get("X: a\x7f b\r\n")},
  {"control character in a name", get("X\x01: b\r\n")},
  {"control character in the target", line("GET /a\x01 HTTP/1.1")},
  {"NUL in the target", line("GET /a\0 HTTP/1.1"s)},
  {"DEL in the target", line("GET /a\x7f HTTP/1.1")},
  {"space in a name", get("X Y: 1\r\n")},
  {"parenthesis in a name", get("X(Y): 1\r\n")},
  {"no colon", get("X\r\n")},
  {"empty name", get(": 1\r\n")},
  {"HTTP/0.9", "GET /\r\n\r\n"},
  {"HTTP/1.2", line("GET / HTTP/1.2")},
  {"HTTP/1.10", line("GET / HTTP/1.10")},
  {"HTTP/2.0", line("GET / HTTP/2.0")},
  {"HTTP/1", line("GET / HTTP/1")},
  {"lower-case version", line("GET / http/1.1")},
  {"space after the version", line("GET / HTTP/1.1 ")},
  {"two spaces before the target", line("GET  / HTTP/1.1")},
  {"two spaces after the target", line("GET /  HTTP/1.1")},
  {"tab in the request line", line("GET\t/\tHTTP/1.1")},
  {"space in the target", line("GET /a b HTTP/1.1")},
  {"leading line", "\r\n" + get("")},
  {"leading space", " " + get("")},
  {"separator in the method", line("GE@T / HTTP/1.1")},
  {"chunk size 0x3", chunked("0x3\r\nabc\r\n0\r\n\r\n")},
  {"chunk size with plus", chunked("+3\r\nabc\r\n0\r\n\r\n")},
  {"chunk size with minus", chunked("-3\r\nabc\r\n0\r\n\r\n")},
  {"chunk size after a space", chunked(" 3\r\nabc\r\n0\r\n\r\n")},
  {"chunk size overflows", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n")},
  {"chunk size empty", chunked("\r\nabc\r\n0\r\n\r\n")},
  {"chunk size is no number", chunked("g\r\nabc\r\n0\r\n\r\n")},
  {"bare LF after a chunk size", chunked("3\nabc\r\n0\r\n\r\n")},
  {"bare CR after a chunk size", chunked("3\rabc\r\n0\r\n\r\n")},
  {"bare LF after chunk data", chunked("3\r\nabc\n0\r\n\r\n")},
  {"something else after chunk data", chunked("3\r\nabcXX0\r\n\r\n")},
  {"chunk longer than it says", chunked("3\r\nabcd\r\n0\r\n\r\n")},
  {"CL in trailers", chunked("3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n")},
  {"TE in trailers", chunked("3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n")},
  {"head longer than the limit", get("X: " + std::string(17'000, 'x') + "\r\n")},
  {"body longer than the limit", post("Content-Length: 1048577\r\n", "abc")},
  {"chunks longer than the limit",
   chunked("100001\r\n" + std::string(0x100001, 'x') + "\r\n0\r\n\r\n")},
  {"wrong end after the last chunk", chunked("3\r\nabc\r\n0\r\nXX")}, // waits: for the deadline
};

// What Beast 1.81 takes.
const std::vector<hostile> unknown_to_beast{
  {"CL twice, equal", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")},
  {"CL as a list", post("Content-Length: 3, 3\r\n", "abc")},
  {"TE xchunked", post("Transfer-Encoding: xchunked\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"TE identity", post("Transfer-Encoding: identity\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"TE chunked, identity",
   post("Transfer-Encoding: chunked, identity\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"TE gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"TE chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"TE identity line and chunked line",
   post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"TE quoted", post("Transfer-Encoding: \"chunked\"\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"TE folded", post("Transfer-Encoding:\r\n chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"TE with parameter", post("Transfer-Encoding: chunked;q=1\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"TE empty", post("Transfer-Encoding:\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"Transfer_Encoding", post("Transfer_Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"Content_Length", post("Content_Length: 3\r\n", "abc")},
  {"HTTP/1.0 with chunked",
   "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
  {"folded field", get("X: a\r\n b\r\n")},
  {"folded with tab", get("X: a\r\n\tb\r\n")},
  {"two Hosts", get("Host: h\r\n")},
  {"no Host", "GET / HTTP/1.1\r\n\r\n"},
  {"Host with slash", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n"},
  {"Host with user", "GET / HTTP/1.1\r\nHost: me@h\r\n\r\n"},
  {"absolute target, other Host", "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n"},
  {"raw UTF-8 in the target", line("GET /\xc3\xa4 HTTP/1.1")},
  {"fragment in the target", line("GET /a#b HTTP/1.1")},
  {"GET with body", get("Content-Length: 3\r\n", "abc")},
  {"GET with chunks", get("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"1,000 fields", get(repeated("X: 1\r\n", 1000))},
  {"8 KB of chunk extension", chunked("3;x=" + std::string(8192, 'y') + "\r\nabc\r\n0\r\n\r\n")},
};

// Of smuggling lists, and of our own.
const std::vector<hostile> more{
  {"Host empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
  {"Host with space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
  {"Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
  {"Host with bad port", "GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n"},
  {"Host with long port", "GET / HTTP/1.1\r\nHost: a:800000\r\n\r\n"},
  {"Host is only a port", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"},
  {"Host with empty brackets", "GET / HTTP/1.1\r\nHost: []\r\n\r\n"},
  {"Host with open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"},
  {"Host with bracket inside", "GET / HTTP/1.1\r\nHost: a[::1]\r\n\r\n"},
  {"Host with text after bracket", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"},
  {"Host with NUL", "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"s},
  {"Host with obs-text", "GET / HTTP/1.1\r\nHost: a\xff\r\n\r\n"},
  {"Host too long", "GET / HTTP/1.1\r\nHost: " + std::string(300, 'a') + "\r\n\r\n"},
  {"TE in mixed case, wrong", post("tRANSFER-eNCODING: chunked-x\r\n", "0\r\n\r\n")},
  {"TE with obs-text", post("Transfer-Encoding: chunked\xa0\r\n", "0\r\n\r\n")},
  {"TE with vertical tab", post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n")},
  {"TE with a space in its name", post("Transfer -Encoding: chunked\r\n", "0\r\n\r\n")},
  {"TE after a comma", post("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n")},
  {"CL of 16 digits", post("Content-Length: 0000000000000003\r\n", "abc")},
  {"CL after a comma", post("Content-Length: ,3\r\n", "abc")},
  {"CL with obs-text digits", post("Content-Length: \xb2\r\n", "abc")},
  {"HEAD with body", "HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"},
  {"DELETE with body", "DELETE / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"},
  {"OPTIONS with body", "OPTIONS * HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"},
  {"TRACE with body", "TRACE / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"},
  {"unknown method with body", "FROB / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"},
  {"get in lower case with body", "get / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"},
  {"CONNECT", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"},
  {"asterisk for GET", line("GET * HTTP/1.1")},
  {"target without slash", line("GET a HTTP/1.1")},
  {"target empty", line("GET  HTTP/1.1")},
  {"other scheme", line("GET ftp://h/ HTTP/1.1")},
  {"absolute target with user", line("GET http://me@h/ HTTP/1.1")},
  {"absolute target without host", line("GET http:///x HTTP/1.1")},
  {"backslash host", line("GET http:\\\\h/ HTTP/1.1")},
  {"target longer than the limit", line("GET /" + std::string(17'000, 'x') + " HTTP/1.1")},
  {"Expect unknown", post("Expect: 200-ok\r\nContent-Length: 0\r\n", "")},
  {"Expect twice",
   post("Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 0\r\n", "")},
  {"gzip body", post("Content-Encoding: gzip\r\nContent-Length: 3\r\n", "abc")},
  {"two Content-Types",
   post("Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0\r\n", "")},
  {"two Authorizations", get("Authorization: a\r\nAuthorization: b\r\n")},
  {"two Last-Event-IDs", get("Last-Event-ID: a\r\nlast-event-id: b\r\n")},
  {"two Idempotency-Keys",
   post("Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 0\r\n", "")},
  {"two Origins", get("Origin: http://a\r\nOrigin: http://b\r\n")},
  {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
  {"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s},
  {"SSH banner", "SSH-2.0-OpenSSH_9.2\r\n"},
  {"chunk extension with bare LF", chunked("3;a\nb\r\nabc\r\n0\r\n\r\n")},
};

// Odd and legal.
const std::vector<hostile> legal{
  {"CL with leading zero", post("Content-Length: 03\r\n", "abc")},
  {"CL with trailing space", post("Content-Length: 3 \r\n", "abc")},
  {"TE in capitals", post("Transfer-Encoding: CHUNKED\r\n", "3\r\nabc\r\n0\r\n\r\n")},
  {"small chunk extension", chunked("3;a=b\r\nabc\r\n0\r\n\r\n")},
  {"obs-text in a value", post("X: \xe4\xff\r\nContent-Length: 3\r\n", "abc")},
};

// -- tests ----------------------------------------------------------------------------------------

CAF_TEST(refuses what Beast refuses) {
  for (auto& x : known_to_beast)
    check_refused(x.name, x.bytes);
}

CAF_TEST(refuses what Beast takes) {
  for (auto& x : unknown_to_beast)
    check_refused(x.name, x.bytes);
}

CAF_TEST(refuses more) {
  for (auto& x : more)
    check_refused(x.name, x.bytes);
}

CAF_TEST(does not rely on Beast where two lengths contradict) {
  limits_config limits;
  for (auto& x : known_to_beast)
    if (std::string_view{x.name}.find("TE") != std::string_view::npos
        && std::string_view{x.name}.find("trailers") == std::string_view::npos)
      CAF_CHECK(http::check_request_head(
        std::string_view{x.bytes}.substr(0, http::find_head_end(x.bytes, 0).value_or(0)), limits));
}

CAF_TEST(finds a control character anywhere in a value) {
  limits_config limits;
  for (int c = 0; c < 256; ++c) {
    auto allowed = c == '\t' || (c >= 0x20 && c != 0x7f);
    for (size_t at = 0; at < 20; ++at) {
      std::string value(20, 'x');
      value[at] = static_cast<char>(c);
      CAF_CHECK_EQUAL(!http::check_request_head(get("X: " + value + "\r\nY: 1\r\n"), limits),
                      allowed);
    }
  }
}

CAF_TEST(takes what is odd and legal) {
  for (auto& x : legal)
    check_accepted(x.name, x.bytes, "abc");
}

CAF_TEST(drops trailers) {
  check_accepted("trailer", chunked("3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n"), "abc");
}

CAF_TEST(takes ordinary requests) {
  check_accepted("curl", get("User-Agent: curl/7.88.1\r\nAccept: */*\r\n"), "");
  check_accepted("no fields but Host", get(""), "");
  check_accepted("Host with port", "GET / HTTP/1.1\r\nHost: localhost:7300\r\n\r\n", "");
  check_accepted("Host with underscore", "GET / HTTP/1.1\r\nHost: my_broker:7300\r\n\r\n", "");
  check_accepted("IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:7300\r\n\r\n", "");
  check_accepted("IPv6 Host without port", "GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n", "");
  check_accepted("HTTP/1.0 probe without Host", "GET /healthz HTTP/1.0\r\n\r\n", "");
  check_accepted("absolute target", "GET http://h/x HTTP/1.1\r\nHost: H\r\n\r\n", "");
  check_accepted("absolute target without path", "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", "");
  check_accepted("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "");
  check_accepted("GET with empty body", get("Content-Length: 0\r\n"), "");
  check_accepted("POST without body", post("", ""), "");
  check_accepted("POST", post("Content-Length: 3\r\n", "abc"), "abc");
  check_accepted("POST with expectation",
                 post("Expect: 100-Continue\r\nContent-Length: 3\r\n", "abc"), "abc");
  check_accepted("value with tab", get("X:\ta\tb\t\r\n"), "");
  check_accepted("empty value", get("X:\r\n"), "");
  check_accepted("long value", get("X: " + std::string(8'000, 'x') + "\r\n"), "");
  check_accepted("many small chunks", chunked(repeated("1\r\nx\r\n", 3000) + "0\r\n\r\n"),
                 std::string(3000, 'x'));
}

CAF_TEST(leaves the next request alone) {
  auto two = post("Content-Length: 3\r\n", "abc") + get("");
  auto x = test::receive(two, two.size());
  CAF_CHECK(x.accepted);
  CAF_CHECK_EQUAL(x.left_over, get("").size());
}

CAF_TEST(answers with the exact status) {
  auto status = [](const std::string& x) { return test::receive(x, x.size()).status; };
  CAF_CHECK_EQUAL(status(get("Host: h\r\n")), 400u);
  CAF_CHECK_EQUAL(status(post("Transfer-Encoding: gzip, chunked\r\n", "")), 501u);
  CAF_CHECK_EQUAL(status(line("GET / HTTP/1.2")), 505u);
  CAF_CHECK_EQUAL(status(post("Expect: x\r\n", "")), 417u);
  CAF_CHECK_EQUAL(status(post("Content-Encoding: br\r\n", "")), 415u);
  CAF_CHECK_EQUAL(status(get(repeated("X: 1\r\n", 100))), 431u); // and Host
  CAF_CHECK_EQUAL(status(get(repeated("X: 1\r\n", 99))), 0u);
  CAF_CHECK_EQUAL(status(get("X: " + std::string(17'000, 'x') + "\r\n")), 431u);
  CAF_CHECK_EQUAL(status("GET /" + std::string(17'000, 'x')), 414u);
  CAF_CHECK_EQUAL(status(get("X: " + std::string(17'000, 'x'))), 431u);
  CAF_CHECK_EQUAL(status("\x16\x03\x01"), 400u);
}

CAF_TEST(finds the end of the head wherever it is cut) {
  std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\n\r\nnext\r\n\r\n";
  auto expected = bytes.find("\r\n\r\n") + 4;
  for (size_t seen = 0; seen < expected; ++seen) {
    CAF_CHECK(!http::find_head_end(std::string_view{bytes}.substr(0, seen), 0));
    CAF_CHECK_EQUAL(http::find_head_end(bytes, seen).value_or(0), expected);
  }
  CAF_CHECK(!http::find_head_end("", 0));
  CAF_CHECK(!http::find_head_end("\n\r\n", 0));
  CAF_CHECK(!http::find_head_end("\r\n\r", 3));
  CAF_CHECK(!http::find_head_end("a\n\r\n", 0));
  CAF_CHECK_EQUAL(http::find_head_end("\r\n\r\n", 3).value_or(0), 4u);
}

CAF_TEST(reads nothing beyond a head that has no end) {
  limits_config limits;
  for (auto head :
       {"", "\r\n", "GET", "GET / HTTP/1.1", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: h\r\n"})
    CAF_CHECK(http::check_request_head(head, limits));
  // The rules must stop at the end of the head, whatever stands there.
  for (auto head :
       {"\r\n\r\n", "GET\r\n\r\n", "GET \r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", "GET / HTTP/1.1\r\n\r\nHost: h\r\n\r\n"})
    CAF_CHECK(http::check_request_head(head, limits));
}

CAF_TEST(survives any bytes) {
  limits_config limits;
  uint64_t dice = 7;
  auto next = [&dice] {
    dice = dice * 6364136223846793005 + 1442695040888963407;
    return static_cast<uint32_t>(dice >> 33);
  };
  const auto start = post("Content-Length: 3\r\nX: y\r\n", "");
  auto passed = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto head = start;
    for (auto n = next() % 4 + 1; n != 0; --n)
      head[next() % (head.size() - 4)] = static_cast<char>(next());
    if (auto end = http::find_head_end(head, 0)) {
      head.resize(*end);
      head.shrink_to_fit(); // lets a sanitizer see what is read beyond
      if (!http::check_request_head(head, limits)) {
        http::request_reader reader;
        (void)reader.read_head(head);
        ++passed;
      }
    }
  }
  CAF_CHECK(passed > 0);
}

} // namespace
