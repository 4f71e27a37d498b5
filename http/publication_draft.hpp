#pragma once

#include "tidings/config.hpp"
#include "tidings/publication.hpp"
#include "tidings/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tidings::http {

inline constexpr size_t type_bytes_max = 256;
inline constexpr size_t event_id_bytes_max = 256;
inline constexpr size_t key_bytes_max = 256;
inline constexpr size_t title_bytes_max = 1024;
inline constexpr size_t message_bytes_max = 16 * 1024;

/// A publication in the making, common to all ways in which events come.
struct publication_draft {
  publication made;
  std::string key; ///< as the publisher gave it; empty: none
  std::optional<mail> item;
  bool has_users = false;

  /// Adds a topic unless it is there already.
  status add_topic(std::string_view name, const limits_config& limits);

  /// A list of topics, separated by commas.
  status add_topics(std::string_view names, const limits_config& limits);

  /// Makes the event an item of a user's mailbox; `*`: of everyone's.
  status add_user(std::string_view user, const limits_config& limits);

  status set_title(std::string_view text);
  status set_message(std::string_view text);
  status set_priority(std::string_view text);

  status set_type(std::string_view text);
  status set_id(std::string_view text);
  status set_key(std::string_view text);
  status set_ttl(std::string_view text);
  status set_level(std::string_view text);

  /// Checks and completes: the size of the data, the scoped key, the fingerprint. Leaves nothing in
  /// the draft.
  result<publication> finish(const limits_config& limits);
};

/// Hash of what a repeat must have in common with the first.
uint64_t fingerprint_of(const event& x);

} // namespace tidings::http
