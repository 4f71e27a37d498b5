#pragma once

#include <cstdint>

namespace tidings {

/// Everything that Tidings can refuse, in words of the domain. The spelling that `to_string` gives
/// is the stable `code` of a problem document and never changes once released. Append only.
enum class errc : uint8_t {
  // -- the caller's fault ------------------------------------------------------------------------
  invalid_request = 1,
  invalid_topic,
  invalid_event,
  invalid_parameter,
  invalid_json,
  invalid_text,
  not_found,
  method_not_allowed,
  not_acceptable,
  unsupported_media_type,
  payload_too_large,
  header_too_large,
  uri_too_long,
  idempotency_conflict,
  level_too_low,
  schema_violation,
  // -- rights ------------------------------------------------------------------------------------
  unauthorized,
  forbidden,
  // -- limits ------------------------------------------------------------------------------------
  rate_limited,
  too_many_connections,
  overloaded,
  // -- our trouble -------------------------------------------------------------------------------
  storage_full,
  storage_unavailable,
  storage_corrupt,
  not_implemented,
  quorum_unavailable,
  indeterminate,
  shutting_down,
  internal_error,
  // -- start-up ----------------------------------------------------------------------------------
  invalid_configuration,
  // -- of a cluster ------------------------------------------------------------------------------
  starting,
  owner_unreachable,
  members_missing,
  change_under_way,
};

/// The stable code, in lower snake case.
const char* to_string(errc x) noexcept;

} // namespace tidings
