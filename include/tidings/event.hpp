#pragma once

#include "tidings/mailbox.hpp"
#include "tidings/position.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tidings {

/// How `event::data` is to be shown where it is embedded in JSON.
enum class data_kind : uint8_t {
  text,   ///< a JSON string
  json,   ///< valid JSON: embedded as it is
  base64, ///< binary, as base64 text: a JSON string, marked
};

/// What an application published. Validated before it gets here: every text is UTF-8 without
/// control characters (data may hold line breaks and tabs), topics are canonical and distinct.
struct event {
  std::vector<std::string> topics; ///< at least one; answers name the first
  std::string type;                ///< the SSE event name; empty: `message`
  std::string data;
  std::string id; ///< the publisher's own id; empty: none
  data_kind kind = data_kind::text;
  bool ephemeral = false;    ///< never stored, never replayed, carries no resumable id
  int64_t expires_at_ms = 0; ///< Unix time; 0: never

  /// What else it has as an item of mailboxes; nullptr: it is none.
  std::shared_ptr<const tidings::mail> mail;
};

/// An event with its place in the log. Immutable once committed.
struct record {
  lsn position{};
  uint64_t node = 0; ///< short form of the node that accepted it
  origin_position origin;
  int64_t time_ms = 0; ///< Unix time of the commit there; never smaller than that of the one before
  uint64_t chain = 0;  ///< hash over this record and those of its incarnation before it
  event content;
};

} // namespace tidings
