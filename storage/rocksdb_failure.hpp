#pragma once

#include "tidings/result.hpp"

#include <string_view>

namespace rocksdb {
class Status;
}

namespace tidings::storage {

/// The one place where a status of the database becomes a failure. The status must not be ok.
failure to_failure(std::string_view what, const rocksdb::Status& x);

} // namespace tidings::storage
