#include "storage/store_reader.hpp"

#include "storage/dismissals.hpp"
#include "storage/entry_presenter.hpp"
#include "storage/keys.hpp"
#include "storage/rocksdb_failure.hpp"
#include "storage/topic_merge.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

namespace tidings::storage {

namespace {

/// How many records are in memory at once when they are read by position.
constexpr size_t records_at_once = 32;

/// The bounds of a walk through the log, where the iterator can point to them.
class log_bounds {
public:
  log_bounds(lsn after, lsn until)
    : options_(passing_by(after, until)),
      first_(next(after)),
      end_(next(until)),
      lower_(slice(first_.view())),
      upper_(slice(end_.view())) {
    // nop
  }

  log_bounds(const log_bounds&) = delete;
  log_bounds& operator=(const log_bounds&) = delete;

  rocksdb::ReadOptions options(const rocksdb::Snapshot* moment) const {
    auto x = options_;
    x.snapshot = moment;
    x.iterate_lower_bound = &lower_;
    x.iterate_upper_bound = &upper_;
    return x;
  }

private:
  rocksdb::ReadOptions options_;
  log_key first_;
  log_key end_;
  rocksdb::Slice lower_;
  rocksdb::Slice upper_;
};

/// Positions `(after, until]` of the log, in either direction.
class log_walk {
public:
  log_walk(const database& db, const read_request& what, const rocksdb::Snapshot* moment)
    : bounds_(what.after, what.until),
      reverse_(what.reverse),
      at_(db.raw().NewIterator(bounds_.options(moment), db.at(family::log))) {
    // nop
  }

  void begin() {
    if (reverse_)
      at_->SeekToLast();
    else
      at_->SeekToFirst();
  }

  /// Moves to a position further on. Near ones are reached by steps, which are cheaper.
  /// @returns whether there is an entry at just this position
  bool move_to(lsn x) {
    constexpr uint64_t near = 16;
    if (at_->Valid()) {
      auto here = to_integer(position());
      auto there = to_integer(x);
      auto distance = reverse_ ? here - there : there - here;
      for (uint64_t i = 0; i < distance && distance <= near && at_->Valid() && is_before(x); ++i)
        advance();
    }
    if (!at_->Valid() || is_before(x)) {
      log_key key{x};
      if (reverse_)
        at_->SeekForPrev(slice(key.view()));
      else
        at_->Seek(slice(key.view()));
    }
    return at_->Valid() && position() == x;
  }

  bool valid() const {
    return at_->Valid();
  }

  void advance() {
    if (reverse_)
      at_->Prev();
    else
      at_->Next();
  }

  /// 0 for a key that is none of ours.
  lsn position() const {
    return parse_log_key(view(at_->key())).value_or(lsn{});
  }

  std::string_view value() const {
    return view(at_->value());
  }

  rocksdb::Status status() const {
    return at_->status();
  }

private:
  bool is_before(lsn x) const {
    return reverse_ ? position() > x : position() < x;
  }

  log_bounds bounds_;
  bool reverse_;
  std::unique_ptr<rocksdb::Iterator> at_;
};

/// Everything of the request has been shown.
read_outcome at_end(const read_request& what) {
  return {what.reverse ? next(what.after) : what.until, true};
}

/// Everything before (in the direction of the read) a position has been shown.
read_outcome stopped_at(const read_request& what, lsn x) {
  return {what.reverse ? next(x) : lsn{to_integer(x) - 1}, false};
}

/// Whether the topic index is likely to be cheaper than looking at every position.
bool prefers_topics(const read_request& what) {
  if (!what.who->is_exact())
    return false;
  constexpr uint64_t positions_per_topic = 64;
  constexpr uint64_t positions_at_least = 256;
  auto distance = to_integer(what.until) - to_integer(what.after);
  return distance > positions_at_least + positions_per_topic * what.who->topics().size();
}

} // namespace

result<read_outcome> store_reader::read(const read_request& what, record_visitor& to, lsn last,
                                        path by) const {
  auto bounded = what;
  bounded.until = std::min(what.until, last);
  if (bounded.until <= what.after)
    return read_outcome{what.reverse ? next(what.after) : what.after, true};
  if (by == path::topics || (by == path::automatic && prefers_topics(bounded))) {
    auto answer = walk_topics(bounded, to);
    if (!answer)
      return answer.error();
    if (*answer)
      return **answer;
  }
  return scan(bounded, to);
}

result<read_outcome> store_reader::scan(const read_request& what, record_visitor& to) const {
  dismissals hidden{db_, mailboxes_, what};
  entry_presenter presenter{what, heads_, forgotten_.persisted(), hidden, to};
  log_walk walk{db_, what, hidden.moment()};
  walk.begin();
  for (size_t looked_at = 0; walk.valid(); walk.advance(), ++looked_at) {
    auto position = walk.position();
    if (looked_at == what.scan_max)
      return stopped_at(what, position);
    auto seen = presenter.show(position, walk.value());
    if (seen == entry_presenter::outcome::failed)
      return presenter.why();
    if (seen == entry_presenter::outcome::stop)
      return stopped_at(what, position);
  }
  if (auto x = walk.status(); !x.ok())
    return to_failure("cannot read the log", x);
  return at_end(what);
}

result<std::optional<read_outcome>> store_reader::walk_topics(const read_request& what,
                                                              record_visitor& to) const {
  using answer = std::optional<read_outcome>;
  // The index first: what the log then shows is at least as new, and knows what went meanwhile.
  topic_merge merge{db_, what.who->topics(), what.after, what.until, what.reverse};
  if (auto failed = merge.failed())
    return *failed;
  if (!merge.can_answer())
    return answer{};
  dismissals hidden{db_, mailboxes_, what};
  entry_presenter presenter{what, heads_, forgotten_.persisted(), hidden, to};
  log_walk walk{db_, what, hidden.moment()};
  for (size_t looked_at = 0; merge.valid(); merge.advance(), ++looked_at) {
    auto position = merge.position();
    if (looked_at == what.scan_max)
      return answer{stopped_at(what, position)};
    if (!walk.move_to(position)) {
      if (!walk.status().ok())
        break;
      if (position <= forgotten_.persisted())
        continue; // the log has forgotten it, the index has not yet
      return failure{errc::storage_corrupt, "the topic index names position "
                                              + std::to_string(to_integer(position))
                                              + ", which the log does not hold"};
    }
    auto seen = presenter.show(position, walk.value());
    if (seen == entry_presenter::outcome::failed)
      return presenter.why();
    if (seen == entry_presenter::outcome::stop)
      return answer{stopped_at(what, position)};
  }
  if (auto failed = merge.failed())
    return *failed;
  if (auto x = walk.status(); !x.ok())
    return to_failure("cannot read the log", x);
  return answer{at_end(what)};
}

status store_reader::read_records(std::span<const lsn> positions, int64_t now_ms,
                                  record_visitor& to, lsn last) const {
  std::vector<log_key> keys;
  std::vector<rocksdb::Slice> slices;
  std::array<rocksdb::PinnableSlice, records_at_once> values;
  std::array<rocksdb::Status, records_at_once> found;
  decoded_entry entry;
  while (!positions.empty()) {
    auto piece = positions.first(std::min(positions.size(), records_at_once));
    positions = positions.subspan(piece.size());
    keys.clear();
    slices.clear();
    for (auto& x : values)
      x.Reset();
    keys.reserve(piece.size()); // the slices point into them
    for (auto position : piece)
      slices.push_back(slice(keys.emplace_back(position).view()));
    db_.raw().MultiGet({}, db_.at(family::log), slices.size(), slices.data(), values.data(),
                       found.data());
    for (size_t i = 0; i < piece.size(); ++i) {
      if (found[i].IsNotFound() || piece[i] > last)
        continue;
      if (!found[i].ok())
        return to_failure("cannot read the log", found[i]);
      if (!decode_entry(view(values[i]), entry))
        return unreadable_entry(piece[i]);
      auto is_there = entry.form == entry_form::record
                      && (entry.expires_at_ms == 0 || entry.expires_at_ms > now_ms);
      if (!is_there)
        continue;
      auto at = to_cursor(entry, heads_);
      if (!to.on_record(to_view(piece[i], entry, at, heads_.node_of(entry.slot))))
        return std::nullopt;
    }
  }
  return std::nullopt;
}

result<lsn> store_reader::before_time(int64_t unix_ms, lsn last) const {
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::log))};
  auto before = lsn{};    // known to be older, or nothing
  auto candidates = last; // nothing above is older
  while (before < candidates) {
    auto distance = to_integer(candidates) - to_integer(before);
    auto middle = lsn{to_integer(before) + (distance + 1) / 2};
    log_key key{middle};
    at->Seek(slice(key.view()));
    if (!at->Valid()) {
      if (!at->status().ok())
        return to_failure("cannot read the log", at->status());
      candidates = lsn{to_integer(middle) - 1}; // the newest entries are never forgotten
      continue;
    }
    auto position = parse_log_key(view(at->key())).value_or(lsn{});
    record_head head;
    if (!decode_head(view(at->value()), head))
      return unreadable_entry(position);
    if (position <= candidates && head.arrived_ms < unix_ms)
      before = position;
    else
      candidates = lsn{to_integer(middle) - 1};
  }
  return before;
}

lsn store_reader::first(lsn last) const {
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::log))};
  at->SeekToFirst();
  if (at->Valid())
    return parse_log_key(view(at->key())).value_or(next(last));
  return next(last);
}

} // namespace tidings::storage
