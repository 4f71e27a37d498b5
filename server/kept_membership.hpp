#pragma once

#include "tidings/config.hpp"
#include "tidings/membership.hpp"

#include <string>

namespace tidings {

/// The list of members that counts: the one that a command made, if there was any, else the
/// configured one. Fails with errc::invalid_configuration if this node is not in it any more, and
/// if the file cannot be used.
result<membership> load_membership(const config& x);

/// Keeps a list that a command made, in the data directory.
status keep_membership(const std::string& directory, const membership& x);

} // namespace tidings
