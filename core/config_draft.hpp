#pragma once

#include "setting_table.hpp"
#include "tidings/config_loader.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// A configuration in the making. Keys are those of the table, or `topic[2].ttl` for the second
/// `[[topic]]`, and likewise `auth.key[2].file`.
struct config_draft {
  config values;

  /// Where each value was given that is not a default: `tidings.toml:12:5`, or a variable's name.
  std::map<std::string, std::string, std::less<>> sources;

  std::set<std::string, std::less<>> unusable; ///< keys that were given something else than a value

  bool complete = true; ///< false if a whole source could not be read

  std::vector<std::string> problems; ///< for people, each with its place

  void complain(std::string_view where, std::string_view what) {
    problems.emplace_back(where).append(": ").append(what);
  }
};

/// Merges all sources and checks the result as a whole.
config_draft draft_config(const config_sources& from);

/// What to say about something that a setting does not take; a secret is not repeated.
template <class Owner>
std::string bad_value(std::string_view key, const setting<Owner>& what, std::string_view given) {
  auto text = std::string{key} + " must be " + requirement(what.field.kind, what.field.choices);
  return what.field.kind == value_kind::secret ? text : text + ", not " + std::string{given};
}

/// All problems, one per line.
failure to_failure(const config_draft& x);

} // namespace tidings
