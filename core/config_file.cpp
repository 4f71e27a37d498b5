#include "config_file.hpp"

#include "near_miss.hpp"
#include "tidings/text.hpp"
#include "tidings/text_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace tidings {

namespace {

// Tables that stand in arrays.
constexpr std::string_view rule_section = "topic";
constexpr std::string_view key_section = "auth.key";
constexpr std::string_view api_key_section = "auth.api-key";
constexpr std::string_view profile_section = "profile";
constexpr std::string_view schema_section = "schema";

std::string in_quotes(std::string_view x) {
  return '"' + for_log(x) + '"';
}

/// The value as a setting reads it, or nothing if TOML has another type for such values.
std::optional<std::string> to_text(value_kind kind, const toml::node& x) {
  if (auto number = x.as_integer()) {
    if (kind == value_kind::number || kind == value_kind::duration || kind == value_kind::size)
      return std::to_string(number->get());
  } else if (auto flag = x.as_boolean()) {
    if (kind == value_kind::boolean)
      return flag->get() ? "true" : "false";
  } else if (auto text = x.as_string()) {
    if (kind != value_kind::number && kind != value_kind::boolean && kind != value_kind::list)
      return text->get();
  } else if (auto items = x.as_array(); items && kind == value_kind::list) {
    std::string all;
    for (auto& item : *items) {
      auto text = item.value<std::string>();
      if (!item.is_string() || split_list(*text).size() != 1)
        return std::nullopt;
      all += (all.empty() ? "" : ",") + *text;
    }
    return all;
  }
  return std::nullopt;
}

/// The value in an error message.
std::string for_people(const toml::node& x) {
  switch (x.type()) {
    case toml::node_type::string:
      return in_quotes(x.as_string()->get());
    case toml::node_type::integer:
      return std::to_string(x.as_integer()->get());
    case toml::node_type::boolean:
      return x.as_boolean()->get() ? "true" : "false";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::array:
      return "this array";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

class reader {
public:
  reader(const std::string& path, config_draft& to) : path_(path), to_(to) {
    for (auto& x : settings())
      if (section_of(x.key) != (sections_.empty() ? "" : sections_.back()))
        sections_.emplace_back(section_of(x.key));
    sections_.emplace_back(rule_section);
    sections_.emplace_back(profile_section);
    sections_.emplace_back(schema_section);
  }

  void read(const toml::table& root) {
    for (auto&& [key, node] : root)
      read_section(key, node);
    std::stable_sort(problems_.begin(), problems_.end());
    for (auto& [line, column, text] : problems_)
      to_.complain(place(line, column), text);
  }

private:
  void read_section(const toml::key& key, const toml::node& x) {
    auto name = std::string{key.str()};
    if (name == rule_section) // its pattern is read later
      return read_tables(rule_section, x, rule_settings(), topic_rule{*topic_pattern::parse("**")},
                         to_.values.topic);
    if (name == profile_section)
      return read_tables(profile_section, x, profile_settings_table(), profile_rule{},
                         to_.values.profile);
    if (name == schema_section)
      return read_tables(schema_section, x, schema_settings(), schema_rule{}, to_.values.schema);
    if (std::find(sections_.begin(), sections_.end(), name) == sections_.end())
      return complain(key.source(), unknown_section(name, x));
    auto section = x.as_table();
    if (!section)
      return complain(key.source(), name + " is a section: write [" + name
                                      + "], and its settings "
                                        "on the lines below");
    for (auto&& [inner, value] : *section) {
      auto full = name + '.' + std::string{inner.str()};
      if (full == key_section)
        read_tables(key_section, value, key_settings(), auth_key{}, to_.values.auth.keys);
      else if (full == api_key_section)
        read_tables(api_key_section, value, api_key_settings(), auth_api_key{},
                    to_.values.auth.api_keys);
      else if (auto what = find_setting(full))
        read_value(*what, full, full, value, to_.values);
      else
        complain(inner.source(),
                 "there is no setting " + for_log(full) + did_you_mean(full, all_keys()));
    }
  }

  static std::vector<std::string> all_keys() {
    auto keys = keys_of(settings());
    keys.emplace_back(key_section);
    keys.emplace_back(api_key_section);
    return keys;
  }

  std::string unknown_section(const std::string& name, const toml::node& x) const {
    if (x.is_table() || x.is_array_of_tables())
      return "there is no section [" + for_log(name) + ']' + did_you_mean(name, sections_);
    return "the setting " + for_log(name) + " is in no section"
           + did_you_mean(name, keys_of(settings()));
  }

  /// Tables that stand in an array under a header such as [[topic]].
  template <class Owner>
  void read_tables(std::string_view header, const toml::node& x,
                   std::span<const setting<Owner>> settings, const Owner& initial,
                   std::vector<Owner>& to) {
    auto tables = x.as_array();
    if (!tables || !tables->is_homogeneous(toml::node_type::table))
      return complain(x.source(), what_for(header) + " begin with [[" + std::string{header}
                                    + "]], in two pairs of brackets");
    for (auto& table : *tables) {
      to.push_back(initial);
      read_table(header, *table.as_table(), settings, to.size() - 1, to.back());
    }
  }

  template <class Owner>
  void read_table(std::string_view header, const toml::table& x,
                  std::span<const setting<Owner>> settings, size_t index, Owner& to) {
    for (auto&& [key, value] : x) {
      auto what = std::find_if(settings.begin(), settings.end(),
                               [name = key.str()](auto& y) { return y.key == name; });
      if (what != settings.end())
        read_value(*what, what->key, table_key(header, index, key.str()), value, to);
      else
        complain(key.source(), "there is no setting " + for_log(key.str()) + in_a(header)
                                 + did_you_mean(key.str(), keys_of(settings)));
    }
    for (auto& [name, why] : required(header)) {
      if (x.contains(name))
        continue;
      to_.unusable.insert(table_key(header, index, name));
      complain(x.source(), std::string{why});
    }
  }

  static std::string what_for(std::string_view header) {
    return header == rule_section      ? "rules for topics"
           : header == key_section     ? "keys for tokens"
           : header == profile_section ? "profiles"
           : header == schema_section  ? "schemas"
                                       : "API keys";
  }

  static std::string in_a(std::string_view header) {
    return (header.starts_with("auth") ? " in an [[" : " in a [[") + std::string{header} + "]]";
  }

  /// What a table must name, and what to say if it does not.
  static std::vector<std::pair<std::string_view, std::string_view>>
  required(std::string_view header) {
    if (header == rule_section)
      return {{"pattern", "a [[topic]] needs to say which topics it is for, such as "
                          "pattern = \"order:*\""}};
    if (header == key_section)
      return {{"id", "an [[auth.key]] needs an id, such as id = \"2026-11\""},
              {"algorithm", "an [[auth.key]] needs its algorithm, such as "
                            "algorithm = \"EdDSA\""}};
    if (header == profile_section)
      return {{"kind", "a [[profile]] needs to say which it is, such as kind = \"dashboard\""}};
    if (header == schema_section)
      return {{"type", "a [[schema]] needs the type of the events that it is for, such as "
                       "type = \"order.created\""},
              {"file", "a [[schema]] needs its file, such as file = \"order.schema.json\""}};
    return {{"name", "an [[auth.api-key]] needs the name of who has it, such as name = \"shop\""},
            {"sha256", "an [[auth.api-key]] needs the hash of the key, as tidings token hash "
                       "prints it"}};
  }

  /// @param name as the person calls it
  /// @param key as the draft calls it
  template <class Owner>
  void read_value(const setting<Owner>& what, std::string_view name, const std::string& key,
                  const toml::node& from, Owner& to) {
    auto text = to_text(what.field.kind, from);
    if (text && what.field.read(*text, to)) {
      to_.sources[key] = place(from.source().begin.line, from.source().begin.column);
    } else {
      to_.unusable.insert(key);
      complain(from.source(), bad_value(name, what, for_people(from)));
    }
  }

  void complain(const toml::source_region& where, std::string text) {
    problems_.emplace_back(where.begin.line, where.begin.column, std::move(text));
  }

  std::string place(toml::source_index line, toml::source_index column) const {
    return path_ + ':' + std::to_string(line) + ':' + std::to_string(column);
  }

  const std::string& path_;
  config_draft& to_;
  std::vector<std::string> sections_;
  std::vector<std::tuple<toml::source_index, toml::source_index, std::string>> problems_;
};

} // namespace

void read_config_file(const std::string& path, config_draft& to) {
  auto fail = [&](std::string_view where, std::string_view what) {
    to.complete = false;
    to.complain(where, what);
  };
  auto content = read_text_file(path);
  if (!content)
    return fail(path, content.error().detail);
  try {
    reader{path, to}.read(toml::parse(*content));
  } catch (const toml::parse_error& x) {
    auto& begin = x.source().begin;
    fail(path + ':' + std::to_string(begin.line) + ':' + std::to_string(begin.column),
         "this is not TOML: " + std::string{x.description()});
  }
}

} // namespace tidings
