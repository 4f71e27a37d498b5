#pragma once

#include "identity/revocations.hpp"
#include "tidings/event_store.hpp"

namespace tidings {

/// Takes over what was revoked before this run. Fails if the store cannot be read: who has been
/// locked out must not come back by a restart.
/// @param past_ms see revocations::add
status load_revocations(const event_store& from, revocations& to, int64_t past_ms);

/// Takes over what another member of the cluster has revoked.
/// @returns whether the record was such
bool apply_revocation(const record& x, revocations& to, int64_t past_ms);

} // namespace tidings
