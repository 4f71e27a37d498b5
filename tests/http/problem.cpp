#define CAF_SUITE problem

#include "http/problem.hpp"

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <map>
#include <set>
#include <string>

namespace {

using namespace tidings;
using namespace tidings::http;
using nlohmann::json;

std::vector<errc> all_codes() {
  std::vector<errc> xs;
  for (int i = 1; i <= static_cast<int>(errc::change_under_way); ++i)
    xs.push_back(static_cast<errc>(i));
  return xs;
}

std::string header(const response& x, std::string_view name) {
  for (auto& [key, value] : x.headers)
    if (key == name)
      return value;
  return "";
}

CAF_TEST(describes a failure as RFC 9457 has it) {
  auto x = problem({errc::invalid_topic, "a topic must not be empty"});
  CAF_CHECK_EQUAL(x.status, 400u);
  CAF_CHECK_EQUAL(x.content_type, "application/problem+json");
  CAF_CHECK_EQUAL(json::parse(x.body), json::parse(R"({
    "type": "urn:tidings:error:invalid_topic", "title": "Invalid topic", "status": 400,
    "code": "invalid_topic", "detail": "a topic must not be empty"})"));
  CAF_CHECK(x.headers.empty());
}

CAF_TEST(every code has a status and a title of its own) {
  std::set<std::string_view> titles;
  for (auto code : all_codes()) {
    CAF_CHECK(status_of(code) >= 400 && status_of(code) < 600);
    CAF_CHECK(reason_of(status_of(code)) != "Unknown");
    CAF_CHECK(titles.insert(title_of(code)).second);
    auto x = problem({code, "why"});
    auto body = json::parse(x.body);
    CAF_CHECK_EQUAL(x.status, status_of(code));
    CAF_CHECK_EQUAL(body["status"], status_of(code));
    CAF_CHECK_EQUAL(body["code"], to_string(code));
  }
}

CAF_TEST(says when to try again) {
  for (auto code : all_codes()) {
    auto helps = status_of(code) == 429 || status_of(code) == 503 || status_of(code) == 507;
    CAF_CHECK_EQUAL(!header(problem({code, "why"}), "Retry-After").empty(), helps);
  }
}

CAF_TEST(a 401 says how to sign in) {
  CAF_CHECK_EQUAL(header(problem({errc::unauthorized, ""}), "WWW-Authenticate"), "Bearer");
}

CAF_TEST(the status can be more exact than the code) {
  auto x = problem({errc::invalid_request, "too slow"}, 408);
  CAF_CHECK_EQUAL(x.status, 408u);
  auto body = json::parse(x.body);
  CAF_CHECK_EQUAL(body["status"], 408);
}

CAF_TEST(survives any text in the detail) {
  for (auto text : {"\"\\\r\n\t", "\xff\xfe", "\xe2\x80\xa8", "</script>"})
    CAF_CHECK(json::parse(problem({errc::invalid_text, text}).body)["detail"].is_string());
  CAF_CHECK(
    json::parse(problem({errc::invalid_text, std::string("\0", 1)}).body)["detail"].is_string());
  std::vector<item_failure> xs{{0, {errc::invalid_text, "\xff"}}};
  CAF_CHECK(json::parse(batch_problem(xs).body)["errors"][0]["detail"].is_string());
}

CAF_TEST(a batch is described by its first bad item) {
  std::vector<item_failure> xs{{3, {errc::payload_too_large, "long"}},
                               {5, {errc::invalid_json, "odd"}}};
  auto x = batch_problem(xs);
  CAF_CHECK_EQUAL(x.status, 413u);
  auto body = json::parse(x.body);
  CAF_CHECK_EQUAL(body["code"], "payload_too_large");
  CAF_CHECK_EQUAL(body["detail"], "long");
  CAF_CHECK_EQUAL(body["errors"], json::parse(R"([
    {"index": 3, "code": "payload_too_large", "detail": "long"},
    {"index": 5, "code": "invalid_json", "detail": "odd"}])"));
}

CAF_TEST(names at most a hundred items) {
  std::vector<item_failure> xs;
  for (size_t i = 0; i < 150; ++i)
    xs.push_back({i, {errc::invalid_topic, "bad"}});
  CAF_CHECK_EQUAL(json::parse(batch_problem(xs).body)["errors"].size(), item_failures_max);
}

// The table in the HTTP reference: | `code` | status | meaning |
CAF_TEST(the reference lists every code with its status) {
  std::ifstream in{TIDINGS_DOCS "/http.md"};
  CAF_REQUIRE(in.good());
  std::map<std::string, unsigned> documented;
  auto in_table = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("| code |"))
      in_table = true;
    else if (in_table && !line.starts_with("|"))
      break;
    else if (in_table && line.starts_with("| `")) {
      auto end = line.find('`', 3);
      auto bar = line.find('|', end);
      documented[line.substr(3, end - 3)] = static_cast<unsigned>(std::stoul(line.substr(bar + 1)));
      CAF_CHECK(line.size() - line.find('|', bar + 1) > 5); // has a meaning
    }
  }
  std::map<std::string, unsigned> real;
  for (auto code : all_codes())
    if (code != errc::invalid_configuration) // never reaches a client
      real[to_string(code)] = status_of(code);
  CAF_CHECK_EQUAL(documented, real);
}

} // namespace
