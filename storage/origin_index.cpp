#include "storage/origin_index.hpp"

#include "storage/entry_presenter.hpp"
#include "storage/keys.hpp"
#include "storage/rocksdb_failure.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace tidings::storage {

namespace {

failure unreadable() {
  return {errc::storage_corrupt, "an entry of the origin index cannot be read"};
}

/// A walk through the index.
class run_walk {
public:
  explicit run_walk(const database& db) : at_(db.raw().NewIterator({}, db.at(family::origin))) {
    // nop
  }

  /// The last entry at or before a position.
  std::optional<origin_run> at_or_before(uint64_t node, origin_position at) {
    at_->SeekForPrev(encode_origin_key({node, at, {}}));
    return current(node);
  }

  /// The first entry at or behind a position.
  std::optional<origin_run> at_or_after(uint64_t node, origin_position at) {
    at_->Seek(encode_origin_key({node, at, {}}));
    return current(node);
  }

  status failed() const {
    if (!at_->status().ok())
      return to_failure("cannot read the origin index", at_->status());
    return unreadable_ ? status{unreadable()} : std::nullopt;
  }

private:
  std::optional<origin_run> current(uint64_t node) {
    if (!at_->Valid())
      return std::nullopt;
    auto run = parse_origin(view(at_->key()), view(at_->value()));
    unreadable_ = unreadable_ || !run;
    return run && run->node == node ? run : std::nullopt;
  }

  std::unique_ptr<rocksdb::Iterator> at_;
  bool unreadable_ = false;
};

/// What travels of an entry; entries of old versions are put into the form of today, unchained.
std::string travelling_body(const decoded_entry& x, uint64_t node) {
  if (!x.body.empty())
    return std::string{x.body};
  std::string bytes;
  if (x.form == entry_form::record) {
    record copy;
    copy.node = node;
    copy.origin = x.origin;
    copy.time_ms = x.time_ms;
    copy.content = to_event(x);
    append_body(bytes, copy, {x.follows, x.key, x.fingerprint}, 0);
    set_unchained(bytes);
    return bytes;
  }
  encode_stub(bytes, x.form, x.expires_at_ms, x);
  decoded_entry stub;
  if (!decode_entry(bytes, stub))
    return {};
  std::string body{stub.body};
  set_unchained(body);
  return body;
}

} // namespace

result<bool> origin_index::holds(lsn place, const event_id& x) const {
  auto value = db_.get(family::log, log_key{place}.view());
  if (!value)
    return value.error();
  if (!*value)
    return place <= forgotten_.persisted(); // nobody can tell any more
  decoded_entry entry;
  if (!decode_entry(**value, entry))
    return unreadable_entry(place);
  return entry.origin == x.at && heads_.node_of(entry.slot) == x.node && !is_taken_away(entry);
}

result<std::optional<lsn>> origin_index::find(const event_id& x) const {
  using answer = std::optional<lsn>;
  run_walk walk{db_};
  auto run = walk.at_or_before(x.node, x.at);
  if (auto failed = walk.failed())
    return *failed;
  if (!run || run->from.incarnation != x.at.incarnation)
    return answer{};
  lsn place{to_integer(run->position) + (x.at.sequence - run->from.sequence)};
  auto there = holds(place, x);
  if (!there)
    return there.error();
  return *there ? answer{place} : answer{};
}

result<std::optional<lsn>> origin_index::first_after(uint64_t node, origin_position at) const {
  using answer = std::optional<lsn>;
  auto wanted = at;
  if (++wanted.sequence == 0)
    ++wanted.incarnation;
  auto exact = find({node, wanted});
  if (!exact)
    return exact.error();
  if (*exact && **exact > forgotten_.persisted())
    return exact;
  run_walk walk{db_};
  auto run = walk.at_or_after(node, wanted);
  if (auto failed = walk.failed())
    return *failed;
  if (!*exact)
    return run ? answer{run->position} : answer{};
  // Whether it was there nobody can tell any more; but the next that is says what it follows.
  if (run) {
    auto value = db_.get(family::log, log_key{run->position}.view());
    if (!value)
      return value.error();
    decoded_entry entry;
    if (*value && decode_entry(**value, entry) && entry.follows == at && at.sequence != 0)
      return answer{run->position};
  }
  return exact;
}

result<cursor> origin_index::cursor_at(lsn x) const {
  auto end = heads_.end();
  if (x >= end.position)
    return end.at;
  if (x == lsn{})
    return cursor{heads_.own(), {}};
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::log))};
  log_key key{x};
  at->Seek(slice(key.view()));
  if (!at->Valid()) {
    if (!at->status().ok())
      return to_failure("cannot read the log", at->status());
    return end.at;
  }
  auto place = parse_log_key(view(at->key())).value_or(lsn{});
  decoded_entry entry;
  if (!decode_entry(view(at->value()), entry))
    return unreadable_entry(place);
  auto found = to_cursor(entry, heads_);
  if (place != x) { // that one is forgotten: just before the first that is not
    auto before = is_taken_away(entry) ? entry.origin
                  : entry.origin.sequence > 1
                    ? origin_position{entry.origin.incarnation, entry.origin.sequence - 1}
                    : entry.follows;
    found.set(heads_.node_of(entry.slot), before);
  }
  return found;
}

result<resolved_cursor> origin_index::resolve(const cursor& x, uint64_t current, lsn last) const {
  auto heads = heads_.all();
  auto is_known = [&](const log_head& head) { return x.find(head.node).has_value(); };
  auto is_other = [&](const log_head& head) { return head.node != heads_.own(); };
  auto known = x.find(heads_.own()).has_value()
               || std::any_of(heads.begin(), heads.end(), is_known)
               // A new member has yet to receive what the reader has seen.
               || (is_member_ && std::none_of(heads.begin(), heads.end(), is_other));
  auto own = x.find(heads_.own()).value_or(origin_position{});
  auto own_head = heads_.head(0).at;
  // A sequence that this very process has not given out is no id of ours.
  auto is_invented = own.incarnation > current
                     || (own.incarnation == current && own.sequence != 0
                         && (own_head.incarnation != current || own.sequence > own_head.sequence));
  if (!known || is_invented)
    return resolved_cursor{last, gap_reason::unknown_cursor, false};
  resolved_cursor found;
  found.after = last;
  if (own.sequence != 0 && own > own_head)
    found.gap = gap_reason::lost;
  for (auto& head : heads) {
    auto wanted = x.find(head.node).value_or(origin_position{});
    if (wanted >= head.at) {
      found.overlaps = found.overlaps || wanted > head.at;
      continue;
    }
    auto next_one = first_after(head.node, wanted);
    if (!next_one)
      return next_one.error();
    auto before = *next_one ? lsn{to_integer(**next_one) - 1} : last;
    if (wanted.sequence != 0) {
      auto there = find({head.node, wanted});
      if (!there)
        return there.error();
      auto next_id = *next_one ? id_at(**next_one) : result<std::optional<event_id>>{std::nullopt};
      if (!next_id)
        return next_id.error();
      // Where a part has been forgotten on the way between nodes, its place says so itself.
      auto is_passed_over = *next_id && (*next_id)->at.incarnation == wanted.incarnation;
      if (!*there && !is_passed_over)
        found.gap = gap_reason::lost;
    }
    found.after = std::min(found.after, before);
  }
  auto names_others = std::any_of(x.components().begin(), x.components().end(),
                                  [&](auto& part) { return part.node != heads_.own(); });
  found.overlaps = found.overlaps || heads.size() > 1 || names_others;
  if (found.after < forgotten_.persisted())
    found.gap = gap_reason::expired;
  return found;
}

result<origin_chunk> origin_index::read(uint64_t node, origin_position after, origin_position up_to,
                                        size_t bytes_max, lsn last) const {
  /// How many records of other nodes are passed by before the index is asked again.
  constexpr size_t strangers_max = 64;
  origin_chunk chunk;
  auto slot = heads_.slot_of(node);
  auto head = slot ? heads_.head(*slot) : log_head{};
  auto reached = after;
  size_t bytes = 0;
  decoded_entry entry;
  auto ended = false;
  while (!ended && reached < head.at) {
    auto from = first_after(node, reached);
    if (!from)
      return from.error();
    if (!*from || **from > last)
      break;
    std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::log))};
    log_key key{**from};
    size_t strangers = 0;
    auto moved = false;
    for (at->Seek(slice(key.view())); at->Valid() && (strangers < strangers_max || !moved);
         at->Next()) {
      auto place = parse_log_key(view(at->key())).value_or(next(last));
      if (place > last) {
        ended = true;
        break;
      }
      record_head whose;
      if (!decode_head(view(at->value()), whose))
        return unreadable_entry(place);
      if (whose.slot != *slot) {
        ++strangers;
        continue;
      }
      if (!decode_entry(view(at->value()), entry))
        return unreadable_entry(place);
      if (entry.origin <= reached || is_taken_away(entry))
        continue;
      if (entry.origin > up_to)
        return chunk;
      auto follows = entry.origin.sequence == 1
                       ? entry.follows
                       : origin_position{entry.origin.incarnation, entry.origin.sequence - 1};
      if (entry.origin.sequence == 1 && (!entry.is_chained || entry.chain == 0))
        follows = reached; // the versions before did not say
      // If it follows on less, who asks has a tail that the node went on without.
      if (follows > reached) {
        if (!chunk.records.empty())
          return chunk; // what was before it is told of next time
        chunk.forgotten = log_head{node, follows, 0};
      }
      auto body = travelling_body(entry, node);
      if (bytes != 0 && bytes + body.size() > bytes_max)
        return chunk;
      bytes += body.size();
      strangers = 0;
      moved = true;
      reached = entry.origin;
      chunk.records.push_back({entry.origin,
                               entry.origin.sequence == 1 ? follows : origin_position{},
                               entry.is_chained ? entry.chain : 0, std::move(body)});
    }
    if (!at->status().ok())
      return to_failure("cannot read the log", at->status());
    ended = ended || !at->Valid();
  }
  chunk.end_reached = true;
  if (reached >= head.at || head.at > up_to)
    return chunk;
  auto newest = find({node, head.at});
  if (!newest)
    return newest.error();
  if (!*newest || **newest > forgotten_.persisted())
    return chunk; // it has only just come
  if (chunk.records.empty() && !chunk.forgotten)
    chunk.forgotten = head;
  else
    chunk.end_reached = false; // it is told of next time
  return chunk;
}

result<std::optional<event_id>> origin_index::id_at(lsn x) const {
  using answer = std::optional<event_id>;
  auto value = db_.get(family::log, log_key{x}.view());
  if (!value)
    return value.error();
  if (!*value)
    return answer{};
  decoded_entry entry;
  if (!decode_entry(**value, entry))
    return unreadable_entry(x);
  if (is_taken_away(entry))
    return answer{};
  return answer{{heads_.node_of(entry.slot), entry.origin}};
}

result<bool> origin_index::holds_any(uint64_t node, lsn from, lsn end) const {
  auto slot = heads_.slot_of(node);
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::log))};
  log_key key{from};
  for (at->Seek(slice(key.view())); at->Valid(); at->Next()) {
    auto place = parse_log_key(view(at->key())).value_or(end);
    if (place >= end)
      break;
    record_head head;
    if (!decode_head(view(at->value()), head))
      return unreadable_entry(place);
    if (head.slot == slot)
      return true;
  }
  if (!at->status().ok())
    return to_failure("cannot read the log", at->status());
  return false;
}

status origin_index::forget() {
  auto floor = forgotten_.persisted();
  if (floor == lsn{})
    return std::nullopt;
  rocksdb::WriteBatch batch;
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::origin))};
  std::optional<origin_run> before;
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    auto run = parse_origin(view(at->key()), view(at->value()));
    if (!run)
      return unreadable();
    auto leads_on = before && before->from.sequence == 1; // to what is never forgotten
    if (before && !leads_on && before->node == run->node && run->position <= floor) {
      auto leads_to_some = holds_any(before->node, before->position, run->position);
      if (!leads_to_some)
        return leads_to_some.error();
      if (!*leads_to_some)
        batch.Delete(db_.at(family::origin), encode_origin_key(*before));
    }
    before = run;
  }
  if (!at->status().ok())
    return to_failure("cannot read the origin index", at->status());
  if (batch.Count() == 0)
    return std::nullopt;
  // Not by the log's writer: nothing that it writes depends on it.
  rocksdb::WriteOptions options;
  if (auto s = db_.raw().Write(options, &batch); !s.ok())
    return to_failure("cannot shorten the origin index", s);
  return std::nullopt;
}

} // namespace tidings::storage
