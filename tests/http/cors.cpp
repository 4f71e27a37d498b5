#define CAF_SUITE cors

#include "http/cors.hpp"

#include <caf/test/dsl.hpp>

#include <string>

namespace {

using namespace tidings::http;

using origins = std::vector<std::string>;

const origins nobody;
const origins anybody{"*"};
const origins two{"https://app.example.com", "http://localhost:3000"};

std::string value(const header_list& xs, std::string_view name) {
  std::string found = "(none)";
  for (auto& [key, text] : xs)
    if (key == name) {
      CAF_CHECK_EQUAL(found, "(none)"); // each once
      found = text;
    }
  return found;
}

std::string allowed(const origins& xs, std::string_view origin) {
  return value(cors_headers(xs, origin), "Access-Control-Allow-Origin");
}

std::string credentials(const origins& xs, std::string_view origin) {
  return value(cors_headers(xs, origin), "Access-Control-Allow-Credentials");
}

CAF_TEST(without a list there is no sharing) {
  CAF_CHECK(cors_headers(nobody, "").empty());
  CAF_CHECK(cors_headers(nobody, "https://app.example.com").empty());
}

CAF_TEST(listed origins may read with credentials) {
  for (auto& x : two) {
    CAF_CHECK_EQUAL(allowed(two, x), x);
    CAF_CHECK_EQUAL(credentials(two, x), "true");
  }
}

CAF_TEST(everybody may read without credentials) {
  CAF_CHECK_EQUAL(allowed(anybody, "https://app.example.com"), "*");
  CAF_CHECK_EQUAL(allowed(anybody, "null"), "*");
  CAF_CHECK_EQUAL(credentials(anybody, "https://app.example.com"), "(none)");
  CAF_CHECK_EQUAL(value(cors_headers(anybody, "https://a"), "Vary"), "(none)");
}

CAF_TEST(what resembles a listed origin is another) {
  for (auto x :
       {"http://app.example.com", "https://app.example.com:8443", "https://app.example.com/",
        "https://app.example.com.evil.org", "https://evilapp.example.com", "https://example.com",
        "https://x.app.example.com", "HTTPS://APP.EXAMPLE.COM", "https://app.example.co",
        "https://app.example.com ", "null", "", "*", "https://app.example.com, http://evil.org",
        "http://localhost", "http://localhost:30000", "file://"}) {
    CAF_CHECK_EQUAL(allowed(two, x), "(none)");
    CAF_CHECK_EQUAL(credentials(two, x), "(none)");
  }
}

CAF_TEST(a star beside others is no star) {
  CAF_CHECK_EQUAL(allowed({"https://a", "*"}, "https://b"), "(none)");
  CAF_CHECK_EQUAL(allowed({"*", "https://a"}, "https://b"), "(none)");
}

CAF_TEST(caches are told that the answer depends on the origin) {
  for (auto x : {"", "https://app.example.com", "https://evil.org"})
    CAF_CHECK_EQUAL(value(cors_headers(two, x), "Vary"), "Origin");
}

CAF_TEST(a preflight permits what the broker understands) {
  auto x = preflight(two, "https://app.example.com",
                     "Content-Type, X-Event-Type,last-event-id , CE-id, X-Evil");
  CAF_CHECK_EQUAL(x.status, 204u);
  CAF_CHECK_EQUAL(value(x.headers, "Access-Control-Allow-Headers"),
                  "content-type, x-event-type, last-event-id, ce-id");
  CAF_CHECK_EQUAL(value(x.headers, "Access-Control-Allow-Methods"), "GET, HEAD, POST, DELETE");
  CAF_CHECK_EQUAL(value(x.headers, "Access-Control-Max-Age"), "7200");
}

CAF_TEST(a preflight permits nothing to others) {
  for (auto origin : {"", "https://evil.org", "null"}) {
    auto x = preflight(two, origin, "content-type");
    CAF_CHECK_EQUAL(x.status, 204u);
    CAF_CHECK(x.headers.empty());
  }
  CAF_CHECK(preflight(nobody, "https://a", "").headers.empty());
}

CAF_TEST(a preflight repeats no hostile names) {
  auto names = [](std::string_view wanted) {
    return value(preflight(anybody, "https://a", wanted).headers, "Access-Control-Allow-Headers");
  };
  for (auto x : {"", ",", ",,", "x\r\nX-Evil: 1", "ce-\r\nx", "ce-a_b", "ce-a:", "*", "cookie"})
    CAF_CHECK_EQUAL(names(x), "(none)");
  CAF_CHECK_EQUAL(names(std::string(5000, ',') + "accept"), "(none)");
}

CAF_TEST(knows forged writes) {
  const auto* host = "127.0.0.1:7300";
  CAF_CHECK(!is_forged_write(nobody, "", host));                      // no browser
  CAF_CHECK(!is_forged_write(nobody, "http://127.0.0.1:7300", host)); // our own pages
  CAF_CHECK(!is_forged_write(two, "https://app.example.com", host));
  CAF_CHECK(!is_forged_write(anybody, "https://evil.org", host)); // asked for
  for (auto x : {"https://evil.org", "null", "http://127.0.0.1", "http://127.0.0.1:7301",
                 "http://localhost:7300", "127.0.0.1:7300", "http://127.0.0.1:7300.evil.org",
                 "http://evil.org/127.0.0.1:7300", "x"}) {
    CAF_CHECK(is_forged_write(nobody, x, host));
    CAF_CHECK(is_forged_write(two, x, host));
  }
  CAF_CHECK(is_forged_write(nobody, "http://", ""));
}

} // namespace
