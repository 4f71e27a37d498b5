#pragma once

#include "tidings/config.hpp"

#include <string>

namespace tidings {

/// Asks a broker at `url` for `/readyz`, prints its answer, and returns the exit status.
int check_health(const std::string& url);

/// Prints every setting with its value.
void print_config(const config& cfg);

} // namespace tidings
