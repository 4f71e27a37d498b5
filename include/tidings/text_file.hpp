#pragma once

#include "tidings/result.hpp"

#include <string>

namespace tidings {

/// The content of a small file. Fails with errc::invalid_configuration if it cannot be read or is
/// larger than a megabyte.
result<std::string> read_text_file(const std::string& path);

} // namespace tidings
