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

failure unreadable_mailbox() {
  return {errc::storage_corrupt, "an entry of the mailbox index cannot be read"};
}

/// Whether an entry is a live item of this mailbox's own: a user also has entries of items that
/// went to everyone.
bool counts(const mailbox_entry& x, std::string_view user, int64_t now_ms) {
  auto is_expired = x.expires_at_ms != 0 && x.expires_at_ms <= now_ms;
  return x.shared == (user == all_users) && !is_expired;
}

} // namespace

result<topic_windows::window*> topic_windows::find(std::string_view topic,
                                                   const topic_retention& bound, int64_t now_ms) {
  auto i = by_topic_.find(topic);
  if (i != by_topic_.end()) {
    auto& known = *i->second;
    windows_.splice(windows_.end(), windows_, i->second);
    if ((known.bound == bound && !known.stale) || known.in_batch) {
      count(known);
      return &known;
    }
    forget(topic);
  }
  windows_.push_back({std::string{topic}, bound, {}, {}, {}, false, false, false, 0});
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
    window->stale = true;
    return;
  }
  weight_ -= window->counted;
  by_topic_.erase(i);
  windows_.erase(window);
}

status topic_windows::fill(window& x, int64_t now_ms) const {
  if (auto failed = read_floor(x))
    return failed;
  return x.bound.items_max != 0 ? fill_with_items(x, now_ms) : fill_with_events(x, now_ms);
}

status topic_windows::read_floor(window& x) const {
  std::string key;
  encode_topic_key(key, x.topic, lsn{});
  auto value = db_.get(family::topic, key);
  if (!value)
    return value.error();
  if (!*value)
    return std::nullopt;
  auto floor = parse_topic_floor(**value);
  if (!floor)
    return unreadable();
  x.gone = x.evicted = *floor;
  return std::nullopt;
}

status topic_windows::fill_with_events(window& x, int64_t now_ms) const {
  std::string first;
  encode_topic_key(first, x.topic, lsn{});
  std::string key;
  encode_topic_key(key, x.topic, lsn{std::numeric_limits<uint64_t>::max()});
  rocksdb::ReadOptions options;
  rocksdb::Slice lower{first};
  options.iterate_lower_bound = &lower;
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator(options, db_.at(family::topic))};
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

/// The topic index does not know what an item is: the mailbox does, and what has left that does not
/// count.
status topic_windows::fill_with_items(window& x, int64_t now_ms) const {
  auto user = mailbox_of_topic(x.topic);
  std::string key;
  encode_mailbox_key(key, user, lsn{std::numeric_limits<uint64_t>::max()});
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::mailbox))};
  for (at->SeekForPrev(key); at->Valid(); at->Prev()) {
    auto where = parse_mailbox_key(view(at->key()));
    if (!where)
      return unreadable_mailbox();
    if (where->user != user)
      break;
    auto entry = parse_mailbox_entry(where->item, view(at->value()));
    if (!entry)
      return unreadable_mailbox();
    if (!counts(*entry, user, now_ms))
      continue;
    if (x.held.exceeds(x.bound)) {
      x.has_backlog = true;
      break;
    }
    x.held.add_oldest({where->item, entry->expires_at_ms, 0});
  }
  if (!at->status().ok())
    return to_failure("cannot read the mailbox index", at->status());
  return std::nullopt;
}

result<std::vector<lsn>> topic_windows::backlog(window& x, size_t limit, int64_t now_ms) const {
  return x.bound.items_max != 0 ? backlog_of_items(x, limit, now_ms) : backlog_of_events(x, limit);
}

result<std::vector<lsn>> topic_windows::backlog_of_items(window& x, size_t limit,
                                                         int64_t now_ms) const {
  std::vector<lsn> found;
  auto user = mailbox_of_topic(x.topic);
  std::string key;
  encode_mailbox_key(key, user, next(x.evicted));
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::mailbox))};
  x.has_backlog = false;
  for (at->Seek(key); at->Valid(); at->Next()) {
    auto where = parse_mailbox_key(view(at->key()));
    if (!where)
      return unreadable_mailbox();
    if (where->user != user || where->item >= x.held.oldest())
      break;
    auto entry = parse_mailbox_entry(where->item, view(at->value()));
    if (!entry)
      return unreadable_mailbox();
    if (!counts(*entry, user, now_ms))
      continue;
    if (found.size() == limit) {
      x.has_backlog = true;
      break;
    }
    found.push_back(where->item);
  }
  if (!at->status().ok())
    return to_failure("cannot read the mailbox index", at->status());
  return found;
}

result<std::vector<lsn>> topic_windows::backlog_of_events(window& x, size_t limit) const {
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
