#include "storage/mailbox_batch.hpp"

#include "storage/keys.hpp"
#include "storage/meta_names.hpp"
#include "storage/rocksdb_failure.hpp"
#include "tidings/bytes.hpp"

#include <algorithm>
#include <memory>
#include <set>

namespace tidings::storage {

namespace {

template <class Topics>
bool names_everyone(const Topics& topics) {
  return std::find(topics.begin(), topics.end(), everyone_topic) != topics.end();
}

/// Whose entry of an item one of its topics stands for.
template <class Topics>
std::optional<std::string_view> holder_by(std::string_view topic, const Topics& all) {
  if (topic == everyone_topic)
    return all_users;
  return names_everyone(all) ? std::nullopt : user_of_topic(topic);
}

/// Calls back with everyone who has an entry of an item, until that fails.
template <class F>
status for_each_holder(const event& x, F f) {
  if (!x.mail)
    return std::nullopt;
  if (names_everyone(x.topics))
    return f(all_users);
  for (auto& topic : x.topics)
    if (auto user = user_of_topic(topic))
      if (auto failed = f(*user))
        return failed;
  return std::nullopt;
}

std::string early_prefix(const event_id& x) {
  std::string key{meta::early};
  append_u64(key, x.node);
  append_u64(key, x.at.incarnation);
  append_u64(key, x.at.sequence);
  return key;
}

std::optional<early_raise> parse_early(std::string_view value) {
  byte_reader in{value};
  auto state = in.u8();
  auto at = in.u64();
  if (!in.done() || state >= item_state_count)
    return std::nullopt;
  return early_raise{static_cast<item_state>(state), static_cast<int64_t>(at)};
}

failure unreadable() {
  return {errc::storage_corrupt, "what is kept for an item to come cannot be read"};
}

} // namespace

status mailbox_batch::load() {
  rocksdb::WriteBatch passed;
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::meta))};
  for (at->Seek(slice(meta::early)); at->Valid() && at->key().starts_with(slice(meta::early));
       at->Next()) {
    byte_reader in{view(at->key()).substr(meta::early.size())};
    event_id item;
    item.node = in.u64();
    item.at.incarnation = in.u64();
    item.at.sequence = in.u64();
    auto slot = heads_.slot_of(item.node);
    if (slot && heads_.head(*slot).at >= item.at)
      passed.Delete(db_.at(family::meta), at->key());
    else
      ++early_;
  }
  if (!at->status().ok())
    return to_failure("cannot read what is kept for items to come", at->status());
  if (passed.Count() != 0)
    if (auto x = db_.raw().Write({}, &passed); !x.ok())
      return to_failure("cannot forget what was kept for items to come", x);
  return std::nullopt;
}

void mailbox_batch::begin(bool is_shared) {
  written_.clear();
  items_.clear();
  told_.clear();
  dismissed_.clear();
  is_shared_ = is_shared;
}

void mailbox_batch::committed() {
  begin(false);
}

void mailbox_batch::put(rocksdb::WriteBatch& to, std::string_view user, const mailbox_entry& x) {
  std::string key;
  encode_mailbox_key(key, user, x.item);
  auto goes = x.state == item_state::dismissed && !x.shared;
  if (goes) {
    dismissed_.emplace_back(user, x.item);
    to.Delete(db_.at(family::mailbox), key);
  } else {
    encode_mailbox_entry(value_, x);
    to.Put(db_.at(family::mailbox), key, value_);
  }
  if (is_shared_) // alone, nobody else changes what a mailbox's own actor decides about
    written_[std::move(key)] = goes ? std::nullopt : std::optional{x};
}

result<std::optional<mailbox_entry>> mailbox_batch::current(std::string_view user, lsn item) const {
  using answer = std::optional<mailbox_entry>;
  std::string key;
  encode_mailbox_key(key, user, item);
  if (auto known = written_.find(key); known != written_.end())
    return known->second;
  auto value = db_.get(family::mailbox, key);
  if (!value)
    return value.error();
  if (!*value)
    return answer{};
  auto x = parse_mailbox_entry(item, **value);
  if (!x)
    return failure{errc::storage_corrupt, "an entry of the mailbox index cannot be read"};
  return x;
}

status mailbox_batch::put_item(rocksdb::WriteBatch& to, const record& x) {
  auto& content = x.content;
  if (!content.mail)
    return std::nullopt;
  mailbox_entry entry;
  entry.item = x.position;
  entry.level = content.mail->level;
  entry.shared = names_everyone(content.topics);
  entry.created_ms = x.time_ms;
  entry.expires_at_ms = content.expires_at_ms;
  entry.type = content.type;
  if (is_shared_)
    items_[{x.node, x.origin}] = x.position;
  if (entry.shared) {
    put(to, all_users, entry);
  } else {
    for (auto& topic : content.topics)
      if (auto user = user_of_topic(topic))
        put(to, *user, entry);
  }
  return early_ == 0 ? std::nullopt : apply_early(to, x);
}

status mailbox_batch::put_changes(rocksdb::WriteBatch& to, std::span<const mailbox_change> xs) {
  for (auto& x : xs) {
    if (is_shared_ || !x.entry.shared) {
      auto known = current(x.user, x.entry.item);
      if (!known)
        return known.error();
      auto is_gone = !*known && !x.entry.shared; // dismissed or evicted since it was decided
      if (is_gone || (*known && (*known)->state > x.entry.state))
        continue;
    }
    put(to, x.user, x.entry);
  }
  return std::nullopt;
}

status mailbox_batch::put_raises(rocksdb::WriteBatch& to, std::span<const mailbox_raise> xs) {
  for (auto& x : xs) {
    auto in_batch = items_.find({x.item.node, x.item.at});
    auto place =
      in_batch != items_.end() ? result<std::optional<lsn>>{in_batch->second} : index_.find(x.item);
    if (!place)
      return place.error();
    if (*place) {
      if (auto failed = raise(to, x.user, **place, x.to, x.at_ms))
        return failed;
      continue;
    }
    auto slot = heads_.slot_of(x.item.node);
    if (slot && heads_.head(*slot).at >= x.item.at)
      continue; // forgotten
    auto key = early_prefix(x.item) + x.user;
    auto before = told(key);
    if (!before)
      return before.error();
    if (*before && (*before)->to >= x.to)
      continue;
    if (!*before)
      ++early_;
    value_.assign(1, static_cast<char>(x.to));
    append_u64(value_, static_cast<uint64_t>(x.at_ms));
    to.Put(db_.at(family::meta), key, value_);
    told_[key] = early_raise{x.to, x.at_ms};
  }
  return std::nullopt;
}

result<std::optional<early_raise>> mailbox_batch::told(const std::string& key) const {
  using answer = std::optional<early_raise>;
  if (auto known = told_.find(key); known != told_.end())
    return known->second;
  auto value = db_.get(family::meta, key);
  if (!value)
    return value.error();
  if (!*value)
    return answer{};
  auto x = parse_early(**value);
  return x ? result<answer>{x} : unreadable();
}

status mailbox_batch::raise(rocksdb::WriteBatch& to, std::string_view user, lsn item,
                            item_state state, int64_t at_ms) {
  auto entry = current(user, item);
  if (!entry)
    return entry.error();
  if (!*entry) { // an item of everyone's that the user had done nothing with, or one that is gone
    entry = current(all_users, item);
    if (!entry)
      return entry.error();
  }
  if (!*entry || (*entry)->state >= state)
    return std::nullopt;
  auto raised = **entry;
  raised.state = state;
  raised.changed_ms = at_ms;
  put(to, user, raised);
  return std::nullopt;
}

status mailbox_batch::move_item(rocksdb::WriteBatch& to, lsn from, const record& x) {
  return for_each_holder(x.content, [&](std::string_view user) -> status {
    auto entry = current(user, from);
    if (!entry)
      return entry.error();
    std::string key;
    encode_mailbox_key(key, user, from);
    to.Delete(db_.at(family::mailbox), key);
    if (*entry) {
      (*entry)->item = x.position;
      put(to, user, **entry);
    } else {
      encode_mailbox_key(key, user, x.position);
      to.Delete(db_.at(family::mailbox), key);
    }
    return std::nullopt;
  });
}

status mailbox_batch::take_item(rocksdb::WriteBatch& to, lsn from, const event& x) {
  return for_each_holder(x, [&](std::string_view user) -> status {
    std::string key;
    encode_mailbox_key(key, user, from);
    to.Delete(db_.at(family::mailbox), key);
    return std::nullopt;
  });
}

status mailbox_batch::apply_early(rocksdb::WriteBatch& to, const record& x) {
  auto prefix = early_prefix({x.node, x.origin});
  std::set<std::string> keys; // on disk and in this batch
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::meta))};
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next())
    keys.insert(at->key().ToString());
  if (!at->status().ok())
    return to_failure("cannot read what is kept for items to come", at->status());
  for (auto i = told_.lower_bound(prefix); i != told_.end() && i->first.starts_with(prefix); ++i)
    keys.insert(i->first);
  for (auto& key : keys) {
    auto kept = told(key);
    if (!kept)
      return kept.error();
    if (!*kept)
      continue;
    auto user = std::string_view{key}.substr(prefix.size());
    if (auto failed = raise(to, user, x.position, (*kept)->to, (*kept)->at_ms))
      return failed;
    to.Delete(db_.at(family::meta), key);
    told_[key] = std::nullopt;
    --early_;
  }
  return std::nullopt;
}

std::optional<std::string_view> user_released(const decoded_entry& of, std::string_view topic) {
  return of.has_mail ? holder_by(topic, of.topic_span()) : std::nullopt;
}

std::optional<std::string_view> holder_of_item(const event& x, std::string_view topic) {
  return x.mail ? holder_by(topic, x.topics) : std::nullopt;
}

} // namespace tidings::storage
