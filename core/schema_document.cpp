#include "schema_document.hpp"

#include "tidings/text.hpp"

#include <algorithm>
#include <array>
#include <re2/re2.h>
#include <unordered_map>

namespace tidings {

namespace {

using nlohmann::json;
using pointer = json::json_pointer;

constexpr size_t parts_max = 1000;
constexpr size_t nesting_max = 32;
constexpr size_t chain_max = 16; // parts that are applied to the same value, one within the other

/// What the value of a keyword holds.
enum class content : uint8_t { schemas, named_schemas, literal };

content content_of(std::string_view keyword) {
  constexpr std::array named{"properties", "definitions", "$defs", "dependencies"};
  constexpr std::array literal{"enum", "const", "default", "examples", "required"};
  auto is = [keyword](auto x) { return keyword == x; };
  return std::any_of(named.begin(), named.end(), is)       ? content::named_schemas
         : std::any_of(literal.begin(), literal.end(), is) ? content::literal
                                                           : content::schemas;
}

failure wrong(const pointer& at, const std::string& why) {
  return {errc::invalid_configuration, "at \"" + for_log(at.to_string()) + "\": " + why};
}

class reader {
public:
  explicit reader(json& root) : root_(root) {
    // nop
  }

  status run() {
    if (auto why = visit(root_, pointer{}, 0))
      return why;
    for (auto& [part, at] : parts_)
      if (auto why = measure(*part, at))
        return why;
    return std::nullopt;
  }

private:
  /// A schema, a list of schemas, or a plain value.
  status visit(json& x, const pointer& at, size_t depth) {
    if (depth > nesting_max)
      return wrong(at, "it is nested too deeply");
    if (x.is_array()) {
      for (size_t i = 0; i < x.size(); ++i)
        if (auto why = visit(x[i], at / i, depth + 1))
          return why;
      return std::nullopt;
    }
    return x.is_object() ? visit_schema(x, at, depth) : std::nullopt;
  }

  status visit_schema(json& x, const pointer& at, size_t depth) {
    if (parts_.size() == parts_max)
      return wrong(at, "the schema has more than " + std::to_string(parts_max) + " parts");
    // Both take a time that grows with the square of the data.
    if (x.contains("patternProperties"))
      return wrong(at, "patternProperties is not supported");
    if (auto unique = x.find("uniqueItems"); unique != x.end() && *unique != false)
      return wrong(at, "uniqueItems is not supported");
    for (auto name : {"id", "$id", "format"}) // names and hints: nothing is checked by them
      if (auto hint = x.find(name); hint != x.end() && hint->is_string())
        x.erase(hint);
    if (auto why = take_pattern(x, at))
      return why;
    parts_.emplace_back(&x, at);
    for (auto& [name, value] : x.items()) {
      auto kind = content_of(name);
      if (kind == content::literal)
        continue;
      auto inner = at / name;
      if (kind == content::schemas || !value.is_object()) {
        if (auto why = visit(value, inner, depth + 1))
          return why;
        continue;
      }
      for (auto& [key, schema] : value.items())
        if (auto why = visit(schema, inner / key, depth + 2))
          return why;
    }
    return std::nullopt;
  }

  /// std::regex would take unbounded time and stack, so that patterns are matched by RE2.
  static status take_pattern(json& x, const pointer& at) {
    auto pattern = x.find("pattern");
    if (pattern == x.end() || pattern->is_object())
      return std::nullopt;
    if (!pattern->is_string())
      return wrong(at / "pattern", "a pattern is a text");
    RE2 compiled{pattern->get_ref<const std::string&>(), RE2::Quiet};
    if (!compiled.ok())
      return wrong(at / "pattern", "the pattern cannot be used: " + for_log(compiled.error()));
    x[pattern_keyword] = std::move(*pattern);
    x.erase("pattern");
    return std::nullopt;
  }

  result<const json*> target_of(const json& reference, const pointer& at) const {
    if (!reference.is_string() || !reference.get_ref<const std::string&>().starts_with('#'))
      return wrong(at, "$ref must lead to a place in the same file, such as #/definitions/item");
    auto text = reference.get<std::string>().substr(1);
    if (text.find('%') != text.npos)
      return wrong(at, "$ref must be written without escapes of URLs");
    try {
      return &root_.at(pointer{text});
    } catch (const json::exception&) {
      return wrong(at, "$ref leads to nothing");
    }
  }

  /// The length of the longest chain of parts that are applied to the same value, from this one
  /// on.
  status measure(const json& x, const pointer& at) {
    if (!x.is_object())
      return std::nullopt;
    auto [known, fresh] = heights_.emplace(&x, pending);
    if (!fresh)
      return known->second == pending
               ? status{wrong(at, "it comes back to itself for the same value")}
               : std::nullopt;
    size_t highest = 0;
    auto add = [&](const json& y) -> status {
      if (auto why = measure(y, at))
        return why;
      if (auto height = heights_.find(&y); height != heights_.end())
        highest = std::max(highest, height->second);
      return std::nullopt;
    };
    if (auto reference = x.find("$ref"); reference != x.end()) {
      auto target = target_of(*reference, at);
      if (!target)
        return target.error();
      if (auto why = add(**target))
        return why;
    }
    for (auto name : {"allOf", "anyOf", "oneOf", "dependencies", "not", "if", "then", "else"}) {
      auto found = x.find(name);
      if (found == x.end())
        continue;
      if (std::string_view{name} == "dependencies" || found->is_array()) {
        for (auto& y : *found)
          if (auto why = add(y))
            return why;
      } else if (auto why = add(*found)) {
        return why;
      }
    }
    if (highest == chain_max)
      return wrong(at, "it is nested too deeply");
    heights_[&x] = highest + 1;
    return std::nullopt;
  }

  static constexpr size_t pending = 0;

  json& root_;
  std::vector<std::pair<const json*, pointer>> parts_;
  std::unordered_map<const json*, size_t> heights_;
};

} // namespace

result<json> parse_schema_document(std::string_view text) {
  auto root = json::parse(text, nullptr, false);
  if (root.is_discarded())
    return failure{errc::invalid_configuration, "it is not JSON"};
  if (!root.is_object())
    return failure{errc::invalid_configuration, "a schema is a JSON object"};
  if (auto why = reader{root}.run())
    return *why;
  return root;
}

} // namespace tidings
