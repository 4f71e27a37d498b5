#pragma once

#include "tidings/config.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// How a value is written.
enum class value_kind : uint8_t { text, number, duration, size, boolean, list, pattern, secret };

/// The way to one field of `Owner`, and its spelling.
template <class Owner>
struct setting_field {
  value_kind kind;
  std::span<const std::string_view> choices; ///< empty: any value of the kind

  /// Leaves `to` as it is if the text is not such a value.
  bool (*read)(std::string_view text, Owner& to);

  /// What `read` reads back; empty if the field is unset. Of a secret only that there is one.
  std::string (*write)(const Owner& from);
};

enum class on_reload : uint8_t { apply, restart };

/// One key of the configuration. File, environment, command line and documentation all come from
/// these.
template <class Owner>
struct setting {
  std::string_view key; ///< in config: `section.name`
  on_reload change;
  setting_field<Owner> field;
  std::string_view help;
};

/// The settings of the broker, by section, in the order of the documentation.
std::span<const setting<config>> settings();

/// The settings of one `[[topic]]`.
std::span<const setting<topic_rule>> rule_settings();

/// The settings of one `[[auth.key]]`.
std::span<const setting<auth_key>> key_settings();

/// The settings of one `[[profile]]`.
std::span<const setting<profile_rule>> profile_settings_table();

/// The settings of one `[[schema]]`.
std::span<const setting<schema_rule>> schema_settings();

/// The settings of one `[[auth.api-key]]`.
std::span<const setting<auth_api_key>> api_key_settings();

/// The setting with this key, or nullptr.
const setting<config>* find_setting(std::string_view key);

/// `topic[2].ttl` for `ttl` of the second `[[topic]]`.
std::string table_key(std::string_view table, size_t index, std::string_view name);

/// All keys of a table.
template <class Owner>
std::vector<std::string> keys_of(std::span<const setting<Owner>> table) {
  std::vector<std::string> result;
  for (auto& x : table)
    result.emplace_back(x.key);
  return result;
}

/// `stream` of `stream.retry-min`.
std::string_view section_of(std::string_view key);

/// `retry-min` of `stream.retry-min`.
std::string_view name_of(std::string_view key);

/// `TIDINGS_STREAM_RETRY_MIN` for `stream.retry-min`.
std::string environment_name(std::string_view key);

/// For people: `duration`, or the choices.
std::string type_name(value_kind kind, std::span<const std::string_view> choices);

/// What a value must be, for instance `a duration such as 30s`.
std::string requirement(value_kind kind, std::span<const std::string_view> choices);

/// The items of a comma-separated list without the blanks around them.
std::vector<std::string> split_list(std::string_view text);

} // namespace tidings
