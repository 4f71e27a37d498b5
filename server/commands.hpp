#pragma once

#include <string>

namespace tidings {

/// Asks a broker at `url` for `/readyz`, prints its answer, and returns the exit status.
int check_health(const std::string& url);

} // namespace tidings
