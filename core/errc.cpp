#include "tidings/errc.hpp"

namespace tidings {

const char* to_string(errc x) noexcept {
  switch (x) {
    case errc::invalid_request:
      return "invalid_request";
    case errc::invalid_topic:
      return "invalid_topic";
    case errc::invalid_event:
      return "invalid_event";
    case errc::invalid_parameter:
      return "invalid_parameter";
    case errc::invalid_json:
      return "invalid_json";
    case errc::invalid_text:
      return "invalid_text";
    case errc::not_found:
      return "not_found";
    case errc::method_not_allowed:
      return "method_not_allowed";
    case errc::not_acceptable:
      return "not_acceptable";
    case errc::unsupported_media_type:
      return "unsupported_media_type";
    case errc::payload_too_large:
      return "payload_too_large";
    case errc::header_too_large:
      return "header_too_large";
    case errc::uri_too_long:
      return "uri_too_long";
    case errc::idempotency_conflict:
      return "idempotency_conflict";
    case errc::level_too_low:
      return "level_too_low";
    case errc::schema_violation:
      return "schema_violation";
    case errc::unauthorized:
      return "unauthorized";
    case errc::forbidden:
      return "forbidden";
    case errc::rate_limited:
      return "rate_limited";
    case errc::too_many_connections:
      return "too_many_connections";
    case errc::overloaded:
      return "overloaded";
    case errc::storage_full:
      return "storage_full";
    case errc::storage_unavailable:
      return "storage_unavailable";
    case errc::storage_corrupt:
      return "storage_corrupt";
    case errc::not_implemented:
      return "not_implemented";
    case errc::quorum_unavailable:
      return "quorum_unavailable";
    case errc::indeterminate:
      return "indeterminate";
    case errc::shutting_down:
      return "shutting_down";
    case errc::internal_error:
      return "internal_error";
    case errc::invalid_configuration:
      return "invalid_configuration";
    case errc::starting:
      return "starting";
    case errc::owner_unreachable:
      return "owner_unreachable";
    case errc::members_missing:
      return "members_missing";
    case errc::change_under_way:
      return "change_under_way";
  }
  return "unknown";
}

} // namespace tidings
