#pragma once

#include "tidings/cursor.hpp"
#include "tidings/event.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// The shapes in which events go to subscribers.
enum class wire_format : uint8_t {
  sse,          ///< the data as it was published; of an item of mailboxes one JSON object
  sse_envelope, ///< data is a JSON object with id, topics, type, time and data
  ndjson,       ///< the same object, one per line
  sse_data,     ///< like `sse`, but of an item too only the data
  notification, ///< data is the JSON object that `append_notification_json` writes
};

inline constexpr size_t wire_format_count = 5;

/// Something to put on the wire about one record.
struct envelope {
  std::string_view id;   ///< cursor text: where the stream stands; empty for ephemeral events
  std::string_view name; ///< the event's own id, for objects that show it
  const std::vector<std::string_view>& topics;
  std::string_view type;
  std::string_view event_id;
  std::string_view data;
  data_kind kind = data_kind::text;
  int64_t time_ms = 0;
  int64_t expires_at_ms = 0;
  const mail_view* mail = nullptr; ///< nullptr: it is no item of mailboxes
};

/// `{"id":…,"topic":…,"topics":[…],"type":…,"time":…,"data":…}` on one line: what pages and
/// envelopes show. An event without a type is a `message`, as browsers call it. An item has the
/// members `title`, `message` and `priority` too.
void append_envelope_json(std::string& out, const envelope& x);

/// `{"id":…,"type":…,"title":…,"message":…,"priority":"NORMAL","created":…,"data":…}` on one line:
/// what streams and pages of mailboxes show of an item. `expires` follows `created` if there is a
/// time; `encoding` stands before binary data; no data is `null`.
/// @param state if set, the last member
void append_item_json(std::string& out, const envelope& x,
                      std::optional<item_state> state = std::nullopt);

/// `{"id":…,"event_type":…,"priority":"NORMAL","created_at":…,"payload":{"title":…,"message":…},
/// "is_recovered":false}` on one line: the manner of the profile `notifications`. `expires_at` and,
/// in the payload, `data` are there if the event has them.
/// @param missed_by the user who missed it when it was sent: `target_userid`, which is null for
/// what was sent to everyone, is there too; nullopt: it is sent right now
void append_notification_json(std::string& out, const envelope& x,
                              std::optional<std::string_view> missed_by = std::nullopt);

/// One event in one of the formats, without transfer coding.
void append_wire(std::string& out, wire_format format, const envelope& x);

/// What one commit made durable, in log order: immutable, shared by everyone who delivers it.
/// Each format is encoded at most once, by the first thread that needs it.
class committed_batch : public std::enable_shared_from_this<committed_batch> {
public:
  /// Where one record's bytes are: `chunk` is an HTTP/1.1 chunk around `frame`.
  struct span {
    uint32_t chunk_begin;
    uint32_t frame_begin;
    uint32_t frame_end;
    uint32_t chunk_end;
  };

  struct encoded {
    std::string bytes; ///< the chunks of all records, one after the other
    std::vector<span> spans;
  };

  /// @param before where the log stood before it
  /// @param is_member whether the node belongs to a cluster
  committed_batch(cursor before, bool is_member, std::vector<record> records);

  const std::vector<record>& records() const noexcept {
    return records_;
  }

  /// Position of the last record.
  lsn last() const noexcept {
    return records_.back().position;
  }

  /// Where the log stood before it.
  const cursor& before() const noexcept {
    return before_;
  }

  /// Where the log stands after one of the records. Goes through all before it: see batch_walk.
  cursor cursor_at(size_t i) const;

  /// Where the log stands after all of them.
  const cursor& end() const noexcept {
    return end_;
  }

  /// Thread-safe.
  const encoded& as(wire_format format) const;

  /// Bytes of memory held, about.
  size_t weight() const noexcept {
    return weight_;
  }

private:
  void encode(wire_format format, encoded& to) const;

  cursor before_;
  cursor end_;
  bool is_member_;
  std::vector<record> records_;
  size_t weight_ = 0;
  mutable std::once_flag once_[wire_format_count];
  mutable encoded encoded_[wire_format_count];
};

using batch_ptr = std::shared_ptr<const committed_batch>;

/// Where the log stands after the records of a batch, for one after the other.
class batch_walk {
public:
  /// @param of must outlive it
  explicit batch_walk(const committed_batch& of) : of_(of), at_(of.before()) {
    // nop
  }

  const committed_batch& batch() const noexcept {
    return of_;
  }

  /// @param i not less than in the call before. Valid until the next call.
  const cursor& cursor_at(size_t i) {
    for (; next_ <= i; ++next_)
      if (auto& x = of_.records()[next_]; !x.content.ephemeral)
        at_.set(x.node, x.origin);
    return at_;
  }

private:
  const committed_batch& of_;
  cursor at_;
  size_t next_ = 0;
};

} // namespace tidings
