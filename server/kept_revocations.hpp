#pragma once

#include "identity/revocations.hpp"
#include "tidings/event_store.hpp"

namespace tidings {

/// Takes over what was revoked before this run. Fails if the store cannot be read: who has been
/// locked out must not come back by a restart.
status load_revocations(const event_store& from, revocations& to, int64_t now_ms);

} // namespace tidings
