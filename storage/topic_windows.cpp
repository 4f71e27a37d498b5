#include "storage/topic_windows.hpp"

#include "storage/keys.hpp"
#include "storage/rocksdb_failure.hpp"

#include <limits>
#include <memory>

namespace tidings::storage {

namespace {

constexpr size_t window_weight = 16; // of an empty one, in entries

failure unreadable() {
  return {errc::storage_corrupt, "an entry of the topic index cannot be read"};
}

bool same(const topic_retention& x, const topic_retention& y) {
  return x.events_max == y.events_max && x.bytes_max == y.bytes_max;
}

} // namespace

result<topic_windows::window*> topic_windows::find(std::string_view topic,
                                                   const topic_retention& bound, int64_t now_ms) {
  auto i = by_topic_.find(topic);
  if (i != by_topic_.end()) {
    auto& known = *i->second;
    windows_.splice(windows_.end(), windows_, i->second);
    if (same(known.bound, bound) || known.in_batch) {
      count(known);
      return &known;
    }
    forget(topic);
  }
  windows_.push_back({std::string{topic}, bound, {}, {}, {}, false, false, 0});
  auto& fresh = windows_.back();
  if (auto failed = fill(fresh, now_ms)) {
    windows_.pop_back();
    return *failed;
  }
  by_topic_.emplace(fresh.topic, std::prev(windows_.end()));
  count(fresh);
  return &fresh;
}

topic_windows::window* topic_windows::peek(std::string_view topic) {
  auto i = by_topic_.find(topic);
  return i == by_topic_.end() ? nullptr : &*i->second;
}

void topic_windows::forget(std::string_view topic) {
  auto i = by_topic_.find(topic);
  if (i == by_topic_.end())
    return;
  auto window = i->second;
  if (window->in_batch) {
    constexpr auto none = std::numeric_limits<uint64_t>::max();
    window->bound = {none, none}; // no bound that is asked for: it will be filled again
    return;
  }
  weight_ -= window->counted;
  by_topic_.erase(i);
  windows_.erase(window);
}

status topic_windows::fill(window& x, int64_t now_ms) const {
  std::string first;
  encode_topic_key(first, x.topic, lsn{});
  std::string key;
  encode_topic_key(key, x.topic, lsn{std::numeric_limits<uint64_t>::max()});
  rocksdb::ReadOptions options;
  rocksdb::Slice lower{first};
  options.iterate_lower_bound = &lower;
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator(options, db_.at(family::topic))};
  at->Seek(first);
  if (at->Valid() && view(at->key()) == first) {
    auto floor = parse_topic_floor(view(at->value()));
    if (!floor)
      return unreadable();
    x.gone = x.evicted = *floor;
  }
  for (at->SeekForPrev(key); at->Valid(); at->Prev()) {
    auto where = parse_topic_key(view(at->key()));
    if (!where)
      return unreadable();
    if (where->position <= x.gone)
      break;
    auto entry = parse_topic_entry(view(at->value()));
    if (!entry)
      return unreadable();
    if (entry->released || (entry->expires_at_ms != 0 && entry->expires_at_ms <= now_ms))
      continue;
    if (x.held.exceeds(x.bound)) {
      x.has_backlog = true;
      break;
    }
    x.held.add_oldest({where->position, entry->expires_at_ms, entry->bytes});
  }
  if (!at->status().ok())
    return to_failure("cannot read the topic index", at->status());
  return std::nullopt;
}

result<std::vector<lsn>> topic_windows::backlog(window& x, size_t limit) const {
  std::vector<lsn> found;
  std::string key;
  encode_topic_key(key, x.topic, next(x.evicted));
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::topic))};
  x.has_backlog = false;
  for (at->Seek(key); at->Valid(); at->Next()) {
    auto where = parse_topic_key(view(at->key()));
    if (!where)
      return unreadable();
    if (where->topic != x.topic || where->position >= x.held.oldest())
      break;
    auto entry = parse_topic_entry(view(at->value()));
    if (!entry)
      return unreadable();
    if (entry->released)
      continue;
    if (found.size() == limit) {
      x.has_backlog = true;
      break;
    }
    found.push_back(where->position);
  }
  if (!at->status().ok())
    return to_failure("cannot read the topic index", at->status());
  return found;
}

void topic_windows::count(window& x) {
  weight_ -= x.counted;
  x.counted = x.held.events() + window_weight;
  weight_ += x.counted;
}

void topic_windows::shrink() {
  while (weight_ > entries_max && windows_.size() > 1) {
    auto& x = windows_.front();
    weight_ -= x.counted;
    by_topic_.erase(x.topic);
    windows_.pop_front();
  }
}

} // namespace tidings::storage
