#pragma once

#include "tidings/config.hpp"
#include "tidings/event.hpp"
#include "tidings/result.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tidings {

/// The JSON Schemas that events of certain types must fit. Immutable, and safe to use from many
/// threads.
class schema_set {
public:
  /// Reads the files. Fails with errc::invalid_configuration; the detail names the file and what is
  /// wrong in it.
  static result<std::shared_ptr<const schema_set>> load(const std::vector<schema_rule>& rules);

  schema_set();

  ~schema_set();

  schema_set(const schema_set&) = delete;
  schema_set& operator=(const schema_set&) = delete;

  /// Checks the data of an event if its type has a schema; text is checked as a JSON string. Fails
  /// with errc::schema_violation, and errc::payload_too_large for more than the schema's bound.
  /// @param member what is checked of data that is an object; empty: all of it
  status check(const event& x, std::string_view member = {}) const;

private:
  class schema;

  std::unordered_map<std::string, std::unique_ptr<const schema>> by_type_;
};

} // namespace tidings
