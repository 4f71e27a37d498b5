#include "tidings/schemas.hpp"

#include "schema_document.hpp"
#include "tidings/text.hpp"
#include "tidings/text_file.hpp"

#include <nlohmann/json.hpp>

#include <exception>
#include <re2/re2.h>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/constraint_builder.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace tidings {

namespace {

using nlohmann::json;
using adapter = valijson::adapters::NlohmannJsonAdapter;

constexpr size_t reason_bytes_max = 300;

class pattern_constraint : public valijson::constraints::PolyConstraint {
public:
  explicit pattern_constraint(const std::string& pattern)
    : pattern_(std::make_shared<const RE2>(pattern, RE2::Quiet)) {
    // nop
  }

  bool validate(const valijson::adapters::Adapter& x, const std::vector<std::string>& path,
                valijson::ValidationResults* results) const override {
    if (!x.isString() || RE2::PartialMatch(x.asString(), *pattern_))
      return true;
    if (results)
      results->pushError(path, "The text does not match the pattern " + pattern_->pattern());
    return false;
  }

private:
  Constraint* cloneInto(void* place) const override {
    return new (place) pattern_constraint{*this};
  }

  size_t sizeOf() const override {
    return sizeof *this;
  }

  std::shared_ptr<const RE2> pattern_; // copies of a constraint share it
};

class pattern_builder : public valijson::ConstraintBuilder {
public:
  valijson::constraints::Constraint* make(const valijson::adapters::Adapter& x) const override {
    return new pattern_constraint{x.asString()};
  }
};

/// `/items/0` for `<root>`, `[items]`, `[0]`.
std::string to_pointer(const std::vector<std::string>& path) {
  json::json_pointer at;
  for (size_t i = 1; i < path.size(); ++i)
    at /= path[i].substr(1, path[i].size() - 2);
  return at.to_string();
}

json to_json(const event& x, std::string_view member) {
  if (x.kind != data_kind::json)
    return x.data;
  auto all = json::parse(x.data, nullptr, false);
  if (member.empty())
    return all;
  auto found = all.find(member);
  return found == all.end() ? json{} : std::move(*found);
}

} // namespace

class schema_set::schema {
public:
  schema(const json& document, size_t bytes_max) : bytes_max_(bytes_max) {
    valijson::SchemaParser parser{valijson::SchemaParser::kDraft7};
    parser.addConstraintBuilder(pattern_keyword, new pattern_builder); // which takes it over
    parser.populateSchema(adapter{document}, rules_);
  }

  status check(const event& x, std::string_view member) const {
    if (x.data.size() > bytes_max_)
      return failure{errc::payload_too_large, "the data of events of this type can have at most "
                                                + std::to_string(bytes_max_) + " bytes"};
    auto data = to_json(x, member);
    // Looking for reasons goes on after the first failure, so that the good pass without it.
    if (fits(data, nullptr))
      return std::nullopt;
    valijson::ValidationResults found;
    fits(data, &found);
    std::string detail = "the data does not fit the schema of '" + for_log(x.type) + '\'';
    valijson::ValidationResults::Error first;
    if (found.popError(first))
      detail += " at \"" + to_pointer(first.context)
                + "\": " + first.description.substr(0, reason_bytes_max);
    if (x.kind != data_kind::json)
      detail += " (it is text: JSON needs Content-Type: application/json)";
    return failure{errc::schema_violation, std::move(detail)};
  }

private:
  bool fits(const json& data, valijson::ValidationResults* results) const {
    valijson::Validator validator;
    return validator.validate(rules_, adapter{data}, results);
  }

  valijson::Schema rules_;
  size_t bytes_max_;
};

schema_set::schema_set() = default;

schema_set::~schema_set() = default;

result<std::shared_ptr<const schema_set>> schema_set::load(const std::vector<schema_rule>& rules) {
  auto made = std::make_shared<schema_set>();
  for (auto& rule : rules) {
    auto refuse = [&rule](const std::string& why) {
      return failure{errc::invalid_configuration,
                     "[[schema]] " + for_log(rule.type) + ": " + for_log(rule.file) + ' ' + why};
    };
    auto text = read_text_file(rule.file);
    if (!text)
      return refuse(text.error().detail);
    auto document = parse_schema_document(*text);
    if (!document)
      return refuse("is not a schema that can be used: " + document.error().detail);
    try {
      made->by_type_[rule.type] = std::make_unique<const schema>(*document, rule.bytes_max);
    } catch (const std::exception& x) { // of the library, for whatever is odd in a schema
      return refuse("is not a schema that can be used: " + for_log(x.what()));
    }
  }
  return std::shared_ptr<const schema_set>{std::move(made)};
}

status schema_set::check(const event& x, std::string_view member) const {
  auto found = by_type_.find(x.type);
  return found == by_type_.end() ? std::nullopt : found->second->check(x, member);
}

} // namespace tidings
