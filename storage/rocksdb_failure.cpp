#include "storage/rocksdb_failure.hpp"

#include <rocksdb/status.h>

#include <string>

namespace tidings::storage {

failure to_failure(std::string_view what, const rocksdb::Status& x) {
  auto code = errc::storage_unavailable;
  if (x.IsCorruption())
    code = errc::storage_corrupt;
  else if (x.IsNoSpace())
    code = errc::storage_full;
  return {code, std::string{what} + ": " + x.ToString()};
}

} // namespace tidings::storage
