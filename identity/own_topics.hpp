#pragma once

#include "tidings/caller.hpp"

namespace tidings {

/// Lets a caller who is a user read what is sent to the user and to everyone, and what happens to
/// the user's mailbox. Nothing for who is no user.
void permit_own_topics(caller& x);

} // namespace tidings
