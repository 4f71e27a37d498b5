#pragma once

#include "actors/messages.hpp"
#include "http/session.hpp"

#include <memory>
#include <vector>

namespace tidings::http {

/// Hands publications to the actors on behalf of a session; `listener` hears of the outcome. Fails
/// without having accepted anything: errc::shutting_down, errc::overloaded.
status submit(session& s, std::vector<publication> xs, bool atomic,
              std::weak_ptr<publish_listener> listener, uint64_t ticket);

/// Counts a publish request of a caller. Fails with errc::rate_limited.
status check_rate(session& s, const caller_ptr& who);

/// Fails with errc::shutting_down when this node stops or is to be stopped.
status check_takes_work(session& s);

/// Checks an event against the schema of its type. Fails with errc::schema_violation and
/// errc::payload_too_large.
/// @param member see `schema_set::check`
status check_schema(session& s, const event& x, std::string_view member = {});

/// Makes the idempotency keys of publications the caller's own: nobody learns of another's keys, or
/// takes them.
void scope_keys(const caller_ptr& who, std::vector<publication>& xs);

/// Counts what became of a request.
void count_outcomes(statistics& stats, const publish_request& x);

} // namespace tidings::http
