#include "storage/retention_batch.hpp"

#include "storage/keys.hpp"
#include "storage/mailbox_batch.hpp"
#include "storage/record_codec.hpp"
#include "storage/rocksdb_failure.hpp"

#include <algorithm>
#include <memory>

namespace tidings::storage {

namespace {

/// How many events of a topic that has long been over its bound go with each new one.
constexpr size_t backlog_step = 64;

/// How many marks of what is gone are cleared with each item that goes.
constexpr size_t marks_step = 64;

failure unreadable() {
  return {errc::storage_corrupt, "an entry of the topic index cannot be read"};
}

} // namespace

void retention_batch::begin(int64_t now_ms, int64_t delete_now_ms) {
  windows_.shrink();
  now_ms_ = now_ms;
  delete_now_ms_ = delete_now_ms;
  values_.clear();
  ends_.clear();
  rewritten_.clear();
  touched_.clear();
  floors_.clear();
  index_.clear();
  delisted_.clear();
  dismissed_.clear();
}

status retention_batch::add(const log_entry& x, std::string_view value) {
  if (ends_.empty())
    first_ = x.content.position;
  values_ += value;
  ends_.push_back(values_.size());
  auto& content = x.content.content;
  for (size_t i = 0; i < content.topics.size(); ++i) {
    auto& topic = content.topics[i];
    auto bound = i < x.retention.size() ? x.retention[i] : topic_retention{};
    if (!bound.bounded()) {
      windows_.forget(topic);
      continue;
    }
    if (bound.items_max != 0 && !holder_of_item(content, topic))
      continue;
    auto window = windows_.find(topic, bound, delete_now_ms_);
    if (!window)
      return window.error();
    if (!(*window)->in_batch) {
      (*window)->in_batch = true;
      touched_.push_back(*window);
    }
    (*window)->held.add_newest({x.content.position, content.expires_at_ms, payload_bytes(content)});
    if (bound.items_max != 0) // the window may have been filled from before this batch
      for (auto& [of, item] : dismissed_)
        if (of == topic)
          (*window)->held.remove(item);
    if (auto failed = apply(**window))
      return failed;
  }
  return std::nullopt;
}

status retention_batch::apply(topic_windows::window& x) {
  if (x.has_backlog) {
    auto old = windows_.backlog(x, backlog_step, delete_now_ms_);
    if (!old)
      return old.error();
    for (auto position : *old)
      if (auto failed = release(x, position))
        return failed;
    if (x.has_backlog)
      return std::nullopt; // the oldest go first
  }
  status failed;
  x.held.trim(x.bound, delete_now_ms_, [&](lsn position) {
    if (!failed)
      failed = release(x, position);
  });
  return failed;
}

status retention_batch::release(topic_windows::window& x, lsn position) {
  x.evicted = std::max(x.evicted, position);
  auto value = current(position);
  if (!value)
    return value.error();
  decoded_entry entry;
  if (*value && !decode_entry(**value, entry))
    return failure{errc::storage_corrupt, "the log entry at position "
                                            + std::to_string(to_integer(position))
                                            + " cannot be read"};
  if (!*value || is_taken_away(entry)) {
    encode_topic_key(key_, x.topic, position);
    index_[key_].reset();
    if (x.bound.items_max != 0)
      encode_mailbox_key(delisted_.emplace_back(), mailbox_of_topic(x.topic), position);
    return std::nullopt;
  }
  auto topics = entry.topic_span();
  auto i = std::find(topics.begin(), topics.end(), x.topic);
  if (i == topics.end())
    return failure{errc::storage_corrupt, "the topic index names position "
                                            + std::to_string(to_integer(position))
                                            + ", which is of other topics"};
  if (auto user = user_released(entry, x.topic))
    encode_mailbox_key(delisted_.emplace_back(), *user, position);
  entry.released |= uint32_t{1} << (i - topics.begin());
  auto all = static_cast<uint32_t>((uint64_t{1} << topics.size()) - 1);
  if (entry.released == all) {
    for (auto topic : topics)
      if (auto failed = delist(topic, position, entry.expires_at_ms))
        return failed;
    encode_stub(**value, entry_form::evicted, now_ms_, entry);
  } else {
    mark_released(x.topic, position, entry.expires_at_ms);
    set_released(**value, entry.released);
  }
  return std::nullopt;
}

void retention_batch::mark_released(std::string_view topic, lsn position, int64_t expires_at_ms) {
  encode_topic_key(key_, topic, position);
  encode_topic_entry(value_, topic_entry{expires_at_ms, 0, true});
  index_[key_] = value_;
}

status retention_batch::delist(std::string_view topic, lsn position, int64_t expires_at_ms) {
  // Other events of a user's topic may be older than an item that goes, whatever its bound is now.
  if (topic == everyone_topic || user_of_topic(topic)) {
    auto clear = clear_below(topic, position);
    if (!clear)
      return clear.error();
    if (!*clear) {
      mark_released(topic, position, expires_at_ms);
      return std::nullopt;
    }
  }
  encode_topic_key(key_, topic, position);
  index_[key_].reset();
  auto& floor = floors_[std::string{topic}];
  floor = std::max(floor, position);
  return std::nullopt;
}

result<bool> retention_batch::clear_below(std::string_view topic, lsn position) {
  if (position >= first_)
    return false; // what came before it in this batch is not in the index yet
  auto begin = lsn{};
  if (auto known = floors_.find(std::string{topic}); known != floors_.end())
    begin = known->second; // not below that of the window
  else if (auto window = windows_.peek(topic))
    begin = window->gone;
  encode_topic_key(key_, topic, next(begin));
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::topic))};
  size_t marks = 0;
  for (at->Seek(key_); at->Valid(); at->Next()) {
    auto where = parse_topic_key(view(at->key()));
    if (!where)
      return unreadable();
    if (where->topic != topic || where->position >= position)
      return true;
    auto there = parse_topic_entry(view(at->value()));
    if (!there)
      return unreadable();
    auto changed = index_.find(at->key().ToString());
    auto is_expired = there->expires_at_ms != 0 && there->expires_at_ms <= delete_now_ms_;
    auto is_gone = there->released || is_expired || changed != index_.end(); // nothing comes back
    if (!is_gone || ++marks > marks_step)
      return false;
    index_[at->key().ToString()].reset();
    floors_[std::string{topic}] = where->position;
  }
  if (!at->status().ok())
    return to_failure("cannot read the topic index", at->status());
  return true;
}

void retention_batch::dismissed(std::string_view user, lsn item) {
  auto& topic = dismissed_.emplace_back(user_topic(user), item).first;
  auto window = windows_.peek(topic);
  if (window && window->bound.items_max != 0)
    window->held.remove(item);
}

result<std::string*> retention_batch::current(lsn position) {
  auto known = rewritten_.find(position);
  if (known != rewritten_.end())
    return &known->second;
  std::string value;
  if (position >= first_) {
    auto i = to_integer(position) - to_integer(first_);
    auto begin = i == 0 ? 0 : ends_[i - 1];
    value.assign(values_, begin, ends_[i] - begin);
  } else {
    auto stored = db_.get(family::log, log_key{position}.view());
    if (!stored)
      return stored.error();
    if (!*stored)
      return static_cast<std::string*>(nullptr);
    value = std::move(**stored);
  }
  return &rewritten_.emplace(position, std::move(value)).first->second;
}

status retention_batch::finish(rocksdb::WriteBatch& batch) {
  for (auto& [topic, floor] : floors_) {
    encode_topic_key(key_, topic, lsn{});
    auto window = windows_.peek(topic);
    if (window) {
      if (floor <= window->gone)
        continue;
      window->gone = floor;
    } else {
      auto stored = db_.get(family::topic, key_);
      if (!stored)
        return stored.error();
      if (*stored && parse_topic_floor(**stored) >= floor)
        continue;
    }
    encode_topic_floor(value_, floor);
    batch.Put(db_.at(family::topic), key_, value_);
  }
  // In the order of keys, which is the cheapest for the database.
  for (auto& [position, value] : rewritten_)
    batch.Put(db_.at(family::log), slice(log_key{position}.view()), value);
  for (auto& [key, value] : index_)
    if (value)
      batch.Put(db_.at(family::topic), key, *value);
    else
      batch.Delete(db_.at(family::topic), key);
  for (auto& key : delisted_)
    batch.Delete(db_.at(family::mailbox), key);
  for (auto window : touched_)
    window->in_batch = false;
  return std::nullopt;
}

} // namespace tidings::storage
