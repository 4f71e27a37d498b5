#pragma once

#include "tidings/config.hpp"

namespace tidings {

/// Applies level and format to the program's log, which goes to standard error. Thread-safe.
void configure_logging(const log_config& cfg);

} // namespace tidings
