#pragma once

#include "tidings/event.hpp"
#include "tidings/mailbox.hpp"

#include <vector>

namespace tidings {

/// What a record of another node says that a user did: nothing, unless it is a change of a mailbox.
/// What cannot be read is left out.
std::vector<mailbox_raise> read_mailbox_event(const event& x);

} // namespace tidings
