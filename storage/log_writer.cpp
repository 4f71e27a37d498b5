#include "storage/log_writer.hpp"

#include "storage/keys.hpp"
#include "storage/record_codec.hpp"

#include <algorithm>

namespace tidings::storage {

log_writer::log_writer(database& db, origin_runs& runs, const guarded_clock& clock,
                       const settings& x, const log_end& end)
  : db_(db),
    runs_(runs),
    clock_(clock),
    settings_(x),
    end_(end),
    last_(to_integer(end.position)),
    retention_(db),
    mailboxes_(db) {
  // nop
}

status log_writer::append(std::span<log_entry> entries, bool sync) {
  for (auto& x : entries)
    if (x.content.content.topics.size() > record_topics_max)
      return failure{errc::invalid_event,
                     "an event can have at most " + std::to_string(record_topics_max) + " topics"};
  if (auto failed = build(entries))
    return db_.give_up(*failed); // positions were given out
  return batch_.Count() == 0 ? std::nullopt : commit(sync);
}

status log_writer::build(std::span<log_entry> entries) {
  auto now = clock_.read_now_ms();
  batch_.Clear();
  retention_.begin(now, clock_.delete_now_ms(), end_.chain);
  for (auto& x : entries) {
    mailboxes_.put_changes(batch_, x.changes);
    if (x.content.content.ephemeral) {
      x.content.position = end_.position;
      x.content.origin = end_.origin;
      x.content.chain = end_.chain;
      x.content.time_ms = std::max(now, end_.time_ms);
      continue;
    }
    place(x.content, now);
    encode_record(value_, x.content, end_.chain);
    end_.chain = x.content.chain;
    put(x);
    if (auto failed = retention_.add(x))
      return failed;
  }
  return retention_.finish(batch_);
}

status log_writer::append_loss() {
  batch_.Clear();
  record x;
  auto now = clock_.read_now_ms();
  place(x, now);
  decoded_entry place;
  place.origin = x.origin;
  place.time_ms = x.time_ms;
  place.chain = end_.chain;
  encode_stub(value_, entry_form::lost, now, place);
  batch_.Put(db_.at(family::log), slice(log_key{x.position}.view()), value_);
  // Of all topics: in the index under the name that no topic has.
  encode_topic_key(key_, everyone, x.position);
  encode_topic_entry(value_, {now, 0});
  batch_.Put(db_.at(family::topic), key_, value_);
  return commit(true);
}

void log_writer::place(record& x, int64_t now_ms) {
  end_.position = next(end_.position);
  end_.origin = end_.origin.incarnation == settings_.incarnation
                  ? origin_position{settings_.incarnation, end_.origin.sequence + 1}
                  : origin_position{settings_.incarnation, 1};
  end_.time_ms = std::max(now_ms, end_.time_ms);
  x.position = end_.position;
  x.origin = end_.origin;
  x.time_ms = end_.time_ms;
  if (!has_run_)
    put_run(x);
}

/// Expects the encoded record in `value_`.
void log_writer::put(const log_entry& x) {
  auto& content = x.content.content;
  auto position = x.content.position;
  batch_.Put(db_.at(family::log), slice(log_key{position}.view()), value_);
  encode_topic_entry(value_, {content.expires_at_ms, payload_bytes(content)});
  for (auto& topic : content.topics) {
    encode_topic_key(key_, topic, position);
    batch_.Put(db_.at(family::topic), key_, value_);
  }
  mailboxes_.put_item(batch_, x.content);
  if (!x.key.empty()) {
    encode_idempotency(value_, {x.content.time_ms + settings_.idempotency_window_ms, position,
                                x.content.origin, x.content.time_ms, x.fingerprint});
    batch_.Put(db_.at(family::key), x.key, value_);
  }
}

void log_writer::put_run(const record& first) {
  has_run_ = true;
  new_run_ = origin_run{settings_.node, first.origin, first.position};
  batch_.Put(db_.at(family::origin), encode_origin_key(*new_run_), encode_origin_value(*new_run_));
}

status log_writer::commit(bool sync) {
  if (auto failed = db_.write(batch_, sync))
    return failed;
  if (new_run_) {
    runs_.add(*new_run_);
    new_run_.reset();
  }
  last_.store(to_integer(end_.position), std::memory_order_release);
  return std::nullopt;
}

} // namespace tidings::storage
