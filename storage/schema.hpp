#pragma once

#include "tidings/result.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace tidings::storage {

class database;

/// The schema that this version writes. Raised when an older version could not read what is
/// written.
inline constexpr uint32_t schema_version = 3;

/// Brings a store from schema `from` to `from + 1`. Must be repeatable: a crash may come before the
/// new number is stored.
struct migration {
  uint32_t from = 0;
  std::function<status(database&)> run;
};

/// A schema and the way to it.
struct schema {
  uint32_t version = schema_version;
  std::vector<migration> migrations; ///< ascending by `from`
};

/// The schema of this version.
const schema& current_schema();

/// Refuses stores that are newer than `known`, and older ones that no migration begins at.
status check_schema(uint32_t stored, const schema& known);

/// Runs what lies between, and calls `store` with each schema reached.
status migrate(uint32_t stored, const schema& known, database& db,
               const std::function<status(uint32_t)>& store);

} // namespace tidings::storage
