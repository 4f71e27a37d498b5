#pragma once

#include "config_draft.hpp"

#include <string>

namespace tidings {

/// Takes over what a TOML file says. All that is wrong with it goes to the draft's problems, in the
/// order of the file.
void read_config_file(const std::string& path, config_draft& to);

} // namespace tidings
