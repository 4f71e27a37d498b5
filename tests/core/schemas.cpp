#define CAF_SUITE schemas

#include "tidings/schemas.hpp"

#include "support/scratch_file.hpp"

#include <caf/test/dsl.hpp>

#include <string>

namespace {

using namespace tidings;

result<std::shared_ptr<const schema_set>> load(const std::string& text) {
  scratch_file file{text};
  return schema_set::load({{"t", file.path()}});
}

event make_event(std::string data, data_kind kind = data_kind::json, std::string type = "t") {
  event x;
  x.topics = {"orders"};
  x.type = std::move(type);
  x.data = std::move(data);
  x.kind = kind;
  return x;
}

/// What is said about data that must not fit; empty: it does.
std::string refusal(const std::string& schema, const std::string& data) {
  auto set = load(schema);
  if (!set)
    CAF_FAIL(set.error().detail);
  auto why = (*set)->check(make_event(data));
  if (!why)
    return {};
  CAF_CHECK(why->code == errc::schema_violation);
  return why->detail.substr(why->detail.find(" at ") + 4);
}

std::string defect(const std::string& schema) {
  auto set = load(schema);
  if (set)
    return {};
  CAF_CHECK(set.error().code == errc::invalid_configuration);
  return set.error().detail;
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

CAF_TEST(types without a schema take everything) {
  schema_set none;
  CAF_CHECK(!none.check(make_event("1")));
  auto set = load(R"({"type":"object"})");
  CAF_REQUIRE(set);
  CAF_CHECK(!(*set)->check(make_event("1", data_kind::json, "other")));
  CAF_CHECK((*set)->check(make_event("1")));
}

CAF_TEST(a refusal names the place) {
  const auto* schema =
    R"({"properties":{"a/b":{"items":{"type":"string"}},"~":{"maximum":3}},"required":["a/b"]})";
  CAF_CHECK_EQUAL(refusal(schema, R"({"a/b":["x"]})"), "");
  CAF_CHECK(refusal(schema, R"({"a/b":["x",1]})").starts_with("\"/a~1b/1\": "));
  CAF_CHECK(refusal(schema, R"({"a/b":[],"~":4})").starts_with("\"/~0\": "));
  CAF_CHECK(refusal(schema, "{}").starts_with("\"\": "));
}

CAF_TEST(text is a JSON string) {
  auto set = load(R"({"type":"string","maxLength":3})");
  CAF_REQUIRE(set);
  CAF_CHECK(!(*set)->check(make_event("abc", data_kind::text)));
  auto why = (*set)->check(make_event("{\"a\":1}", data_kind::text));
  CAF_REQUIRE(why);
  CAF_CHECK(holds(why->detail, "Content-Type"));
}

CAF_TEST(a member can be meant in place of all) {
  auto set = load(R"({"type":"number"})");
  CAF_REQUIRE(set);
  CAF_CHECK(!(*set)->check(make_event(R"({"data":1,"id":"x"})"), "data"));
  CAF_CHECK((*set)->check(make_event(R"({"data":"1"})"), "data"));
  CAF_CHECK((*set)->check(make_event(R"({"id":"x"})"), "data"));
}

CAF_TEST(data that is too large is not looked at) {
  scratch_file file{R"({"type":"string"})"};
  auto set = schema_set::load({{"t", file.path(), 10}});
  CAF_REQUIRE(set);
  CAF_CHECK(!(*set)->check(make_event("\"12345678\"")));
  auto why = (*set)->check(make_event("\"123456789\""));
  CAF_REQUIRE(why);
  CAF_CHECK(why->code == errc::payload_too_large);
}

CAF_TEST(patterns are searched for and take linear time) {
  const auto* schema = R"({"properties":{"x":{"pattern":"(a+)+b"},"pattern":{"pattern":"^c"}}})";
  CAF_CHECK_EQUAL(refusal(schema, R"({"x":"..aab..","pattern":"c"})"), "");
  CAF_CHECK(
    refusal(schema, R"({"x":")" + std::string(20'000, 'a') + R"("})").starts_with("\"/x\""));
  CAF_CHECK(refusal(schema, R"({"pattern":"d"})").starts_with("\"/pattern\""));
  CAF_CHECK_EQUAL(refusal(schema, R"({"x":5})"), "");
  CAF_CHECK_EQUAL(refusal(R"({"enum":[{"pattern":"["}]})", R"({"pattern":"["})"), "");
}

CAF_TEST(formats are hints) {
  CAF_CHECK_EQUAL(refusal(R"({"format":"date"})", "\"" + std::string(50'000, '1') + "\""), "");
  CAF_CHECK_EQUAL(refusal(R"({"properties":{"format":{"type":"string"}}})", R"({"format":"x"})"),
                  "");
}

CAF_TEST(a schema may refer to itself where the data goes down) {
  const auto* tree = R"({"type":"object","properties":{"child":{"$ref":"#"}}})";
  CAF_CHECK_EQUAL(refusal(tree, R"({"child":{"child":{}}})"), "");
  CAF_CHECK(refusal(tree, R"({"child":{"child":1}})").starts_with("\"/child/child\""));
  const auto* list =
    R"({"$id":"http://x/y","items":{"$ref":"#/$defs/a"},"$defs":{"a":{"$ref":"#/$defs/b"},
        "b":{"type":"integer"}}})";
  CAF_CHECK_EQUAL(refusal(list, "[1,2]"), "");
  CAF_CHECK(refusal(list, "[1,\"2\"]").starts_with("\"/1\""));
}

CAF_TEST(what cannot be used is said) {
  CAF_CHECK(holds(defect("{"), "not JSON"));
  CAF_CHECK(holds(defect("true"), "object"));
  CAF_CHECK(!defect(R"({"type":"order"})").empty());
  CAF_CHECK(holds(defect(R"({"properties":{"a":{"pattern":"["}}})"), "/properties/a/pattern"));
  CAF_CHECK(holds(defect(R"x({"pattern":"(?=a)"})x"), "pattern"));
  CAF_CHECK(holds(defect(R"({"patternProperties":{"a":{}}})"), "patternProperties"));
  CAF_CHECK(holds(defect(R"({"uniqueItems":true})"), "uniqueItems"));
  CAF_CHECK_EQUAL(defect(R"({"uniqueItems":false})"), "");
  for (auto ref : {"other.json", "http://127.0.0.1:1/a", "a#/b", "#/nowhere", "#/%61", ""})
    CAF_CHECK(!defect(std::string{R"({"$ref":")"} + ref + "\"}").empty());
}

CAF_TEST(a schema that never ends is refused) {
  CAF_CHECK(holds(defect(R"({"$ref":"#"})"), "itself"));
  CAF_CHECK(holds(defect(R"({"anyOf":[{"$ref":"#"}]})"), "itself"));
  CAF_CHECK(holds(defect(R"({"if":true,"else":{"not":{"$ref":"#"}}})"), "itself"));
  CAF_CHECK(holds(defect(R"({"dependencies":{"a":{"$ref":"#"}}})"), "itself"));
  CAF_CHECK(holds(defect(R"({"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},
              "b":{"allOf":[{"$ref":"#/definitions/a"}]}}})"),
                  "itself"));
}

CAF_TEST(a schema is bounded) {
  std::string deep;
  for (int i = 0; i < 40; ++i)
    deep += R"({"items":)";
  CAF_CHECK(holds(defect(deep + "{}" + std::string(40, '}')), "deep"));
  std::string chain = "{}";
  for (int i = 0; i < 20; ++i)
    chain = R"({"not":)" + chain + "}";
  CAF_CHECK(holds(defect(chain), "deep"));
  std::string wide;
  for (int i = 0; i < 1000; ++i)
    wide += (i ? ",\"" : "\"") + std::to_string(i) + "\":{}";
  CAF_CHECK(holds(defect(R"({"properties":{)" + wide + "}}"), "parts"));
}

} // namespace
