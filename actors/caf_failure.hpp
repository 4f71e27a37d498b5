#pragma once

#include "tidings/result.hpp"

#include <caf/error.hpp>
#include <caf/make_message.hpp>

namespace tidings {

// `caf::error` begins and ends in these two: everywhere else a refusal is a `failure`.

caf::error to_caf(const failure& x);

failure from_caf(const caf::error& x);

} // namespace tidings

CAF_ERROR_CODE_ENUM(tidings::errc, "tidings")
