#pragma once

#include "tidings/result.hpp"

#include <cstdint>
#include <string>

namespace tidings::storage {

// Opening a database with a damaged log can delete what is left of it. Hence its log and manifest
// files get second names in the subfolder `aside`, which are removed once all is known to be well.

/// Does nothing if an earlier start left files there: those are closer to what happened.
status put_aside(const std::string& directory);

void remove_aside(const std::string& directory);

/// Keeps what was put aside under another name, for people: after a salvage.
status keep_aside(const std::string& directory, const std::string& name);

/// Size of the write-ahead log.
uint64_t wal_bytes(const std::string& directory);

} // namespace tidings::storage
