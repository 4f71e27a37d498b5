#pragma once

#include "http/problem.hpp"
#include "http/request.hpp"
#include "tidings/config.hpp"
#include "tidings/publication.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tidings::http {

/// What `POST /events` can carry.
enum class publish_form : uint8_t {
  json,
  ndjson,
  cloud_event,
  cloud_event_batch,
  cloud_event_binary
};

/// Fails with errc::unsupported_media_type.
result<publish_form> publish_form_of(const request& x);

/// Whether JSON text begins like an array.
bool is_json_array(std::string_view json) noexcept;

/// `POST /topics/{topic}`; takes the body.
result<publication> parse_raw(request& x, const limits_config& limits);

/// One JSON envelope, for instance a line of NDJSON.
result<publication> parse_object(std::string_view json, const limits_config& limits);

/// The same for an item of one user's mailbox; `*`: of everyone's.
result<publication> parse_item(std::string_view user, std::string_view json,
                               const limits_config& limits);

/// Several events that are stored together, or what is wrong with them.
struct parsed_batch {
  std::vector<publication> items;
  std::optional<failure> refused;   ///< the batch as a whole
  std::vector<item_failure> errors; ///< bad items, at most `item_failures_max`

  bool ok() const noexcept {
    return !refused && errors.empty();
  }

  /// The answer if it is not ok.
  response to_problem() const {
    return refused ? problem(*refused) : batch_problem(errors);
  }
};

/// A JSON array of envelopes.
parsed_batch parse_array(std::string_view json, const limits_config& limits);

/// A JSON array of anything that `parse` understands.
parsed_batch parse_batch(std::string_view json, const limits_config& limits,
                         const std::function<result<publication>(std::string_view)>& parse);

/// Applies the header `Idempotency-Key` (empty: none) to events that have no key of their own: of
/// several, each gets its own key from its place.
status apply_idempotency_key(std::span<publication> xs, std::string_view key);

} // namespace tidings::http
