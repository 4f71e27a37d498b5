#include "actors/storage/commit_group.hpp"

#include "actors/mailbox/mailbox_event.hpp"
#include "actors/topic/topic_policy.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace tidings {

commit_group::commit_group(event_store& store, limits bounds, const cluster_gate* gate)
  : store_(store), limits_(bounds), gate_(gate) {
  // nop
}

bool commit_group::full() const noexcept {
  return entries_.size() >= limits_.events_max || bytes_ >= limits_.bytes_max;
}

void commit_group::add(publish_ptr x, int64_t now_ms) {
  auto& items = x->items;
  requests_.push_back(x);
  for (auto& item : items)
    refuse_what_cannot_be(item);
  if (!x->atomic) {
    for (auto& item : items)
      if (!item.outcome.refused && check_key(item, now_ms))
        enlist(item, now_ms);
    return;
  }
  // All or none: nothing is enlisted before every item has passed.
  std::vector<publish_item*> fresh;
  std::unordered_map<std::string_view, uint64_t> fingerprints; // of new keys
  for (auto& item : items)
    if (!item.outcome.refused && check_key(item, now_ms)) {
      auto& what = item.what;
      auto first = fingerprints.emplace(what.key, what.fingerprint).first;
      if (!what.key.empty() && first->second != what.fingerprint)
        item.outcome.refused = conflict();
      fresh.push_back(&item);
    }
  auto refused = [](auto& item) { return item.outcome.refused.has_value(); };
  if (std::none_of(items.begin(), items.end(), refused))
    for (auto item : fresh)
      enlist(*item, now_ms);
}

void commit_group::refuse_what_cannot_be(publish_item& x) const {
  if (x.outcome.refused)
    return;
  if (gate_ && !gate_->joined) {
    x.outcome.refused = failure{errc::starting, "this node is still learning from the others what "
                                                "it has missed"};
  } else if (!x.ephemeral && x.level == durability::quorum && !(gate_ && gate_->majority_linked)) {
    x.outcome.refused =
      failure{errc::quorum_unavailable,
              gate_ ? "this node is not linked with a majority of the cluster; a lower level, such "
                      "as fsync, can be asked for where the topic allows it"
                    : "the level quorum needs a cluster; fsync is the highest on one node"};
  }
}

/// @returns whether the item is to be stored: it has no key, or one that is new
bool commit_group::check_key(publish_item& x, int64_t now_ms) {
  auto& key = x.what.key;
  if (key.empty())
    return true;
  if (auto i = keys_.find(key); i != keys_.end()) {
    auto& first = entries_[i->second];
    if (first.fingerprint != x.what.fingerprint) {
      x.outcome.refused = conflict();
    } else {
      waiting_.push_back({&x, i->second, true});
      sync_ = sync_ || (!first.content.content.ephemeral && x.level >= durability::fsync);
    }
    return false;
  }
  auto known = store_.find_key(key, now_ms);
  if (!known) {
    x.outcome.refused = known.error();
    return false;
  }
  if (!*known)
    return true;
  auto& first = **known;
  if (first.fingerprint != x.what.fingerprint) {
    x.outcome.refused = conflict();
  } else {
    x.outcome.position = first.position;
    x.outcome.node = first.node;
    x.outcome.origin = first.origin;
    x.outcome.time_ms = first.time_ms;
    x.outcome.level = durability::written;
    x.outcome.duplicate = true;
    // The first may have been stored at a lower level than this one asks for.
    sync_ = sync_ || x.level >= durability::fsync;
  }
  return false;
}

failure commit_group::conflict() const {
  return {errc::idempotency_conflict, "this key was used for another event within the last "
                                        + std::to_string(limits_.idempotency_window.count() / 1000)
                                        + " s"};
}

void commit_group::enlist(publish_item& x, int64_t now_ms) {
  if (!x.what.key.empty())
    // Two items of one atomic request may carry the same new key.
    if (!keys_.emplace(x.what.key, entries_.size()).second) {
      check_key(x, now_ms);
      return;
    }
  settle_expiry(x, now_ms);
  bytes_ += x.what.content.data.size() + 64;
  sync_ = sync_ || (!x.ephemeral && x.level >= durability::fsync);
  log_entry entry;
  entry.content.content = std::move(x.what.content);
  entry.content.content.ephemeral = x.ephemeral;
  entry.key = x.what.key;
  entry.fingerprint = x.what.fingerprint;
  entry.retention = std::move(x.retention);
  entry.changes = std::move(x.changes);
  waiting_.push_back({&x, entries_.size(), false});
  entries_.push_back(std::move(entry));
}

void commit_group::add(replica_work_ptr x, const config& cfg, int64_t now_ms) {
  now_ms_ = now_ms;
  auto entries = store_.admit(x->node, x->bodies);
  if (!entries) {
    refused_.push_back({x->ticket, entries.error().code == errc::storage_corrupt});
    return;
  }
  for (auto& entry : *entries) {
    auto& content = entry.content.content;
    bytes_ += entry.body.size();
    if (entry.is_gone) {
      entries_.push_back(std::move(entry));
      continue;
    }
    entry.raises = read_mailbox_event(content);
    entry.retention = retention_of(content, cfg);
    entries_.push_back(std::move(entry));
  }
  sync_ = true;
  works_.push_back(std::move(x));
}

void commit_group::add(const std::vector<record>& xs) {
  for (auto& x : xs)
    entries_.emplace_back().content = x;
}

commit_group::outcome commit_group::commit() {
  outcome result;
  result.synced = sync_;
  auto why = status{};
  auto storing = [this] {
    return std::any_of(entries_.begin(), entries_.end(),
                       [](auto& x) { return !x.content.content.ephemeral; });
  };
  if (storing())
    why = store_.check_space(false);
  auto begin = store_.cursor_at(store_.last());
  if (why) {
    auto upkeep_too = store_.check_space(true).has_value();
    refuse_unless(*why, [&](const log_entry& x) {
      return x.content.content.ephemeral || (!upkeep_too && is_upkeep(x));
    });
  }
  auto done = false;
  if (!entries_.empty()) {
    auto stores = storing();
    auto failed = store_.append(entries_, sync_);
    if (failed && failed->code == errc::storage_full) {
      refuse_all(*failed); // since it was asked a moment ago; nothing has been written
    } else if (failed) {
      // It may have reached the disk all the same, and be there after the next start.
      refuse_all({errc::indeterminate, failed->detail});
      result.broken = failed;
    } else {
      done = stores;
    }
  }
  if (sync_ && !done && !result.broken) { // a repeat asks for it, and nothing was written with it
    result.broken = store_.sync();
    if (result.broken)
      refuse_all({errc::indeterminate, result.broken->detail});
  }
  auto level = sync_ ? durability::fsync : durability::written;
  for (auto& x : waiting_) {
    auto& outcome = x.item->outcome;
    if (outcome.refused)
      continue;
    auto& stored = entries_[x.entry].content;
    outcome.position = stored.position;
    outcome.time_ms = stored.time_ms;
    outcome.node = stored.node;
    outcome.duplicate = x.duplicate;
    if (!stored.content.ephemeral) {
      outcome.origin = stored.origin;
      outcome.level = level;
    }
  }
  if (sync_)
    for (auto& request : requests_)
      for (auto& item : request->items)
        settle_repeat(item, result.broken);
  if (!result.broken && !entries_.empty()) {
    std::vector<record> records;
    records.reserve(entries_.size());
    auto self = store_.node().short_form();
    for (auto& x : entries_) {
      auto& what = x.content;
      result.has_ephemeral = result.has_ephemeral || (what.content.ephemeral && what.node == self);
      auto expiry = x.content.content.expires_at_ms;
      if (!x.body.empty() && expiry != 0 && expiry <= now_ms_)
        x.content.content.topics.clear(); // it came too late: nobody is sent it
      records.push_back(std::move(x.content));
    }
    result.batch =
      std::make_shared<committed_batch>(std::move(begin), store_.is_member(), std::move(records));
  }
  if (!result.broken)
    for (auto& x : works_)
      result.done.push_back(x->ticket);
  works_.clear();
  result.refused = std::move(refused_);
  refused_.clear();
  result.answered = std::move(requests_);
  requests_.clear();
  entries_.clear();
  waiting_.clear();
  keys_.clear();
  bytes_ = 0;
  sync_ = false;
  return result;
}

/// The first may have been stored at a lower level: what it is now has been decided by the sync.
void commit_group::settle_repeat(publish_item& x, const status& broken) {
  if (!x.outcome.duplicate || x.outcome.refused)
    return;
  if (!broken)
    x.outcome.level = durability::fsync;
  else if (x.level >= durability::fsync)
    x.outcome.refused = failure{errc::indeterminate, broken->detail};
}

void commit_group::refuse_works() {
  for (auto& x : works_)
    refused_.push_back({x->ticket, false});
  if (!works_.empty())
    store_.dismiss_admitted();
  works_.clear();
}

void commit_group::refuse_all(const failure& why) {
  refuse_unless(why, [](auto&) { return false; });
}

/// Refuses what is waiting, but for what stays in the group. What other nodes sent goes with the
/// rest.
void commit_group::refuse_unless(const failure& why,
                                 const std::function<bool(const log_entry&)>& stays) {
  refuse_works();
  std::vector<log_entry> kept;
  std::vector<size_t> moved(entries_.size());
  for (size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].body.empty() && stays(entries_[i])) {
      moved[i] = kept.size();
      kept.push_back(std::move(entries_[i]));
    } else {
      moved[i] = entries_.size();
    }
  std::vector<waiting> still;
  for (auto& x : waiting_)
    if (moved[x.entry] == entries_.size())
      x.item->outcome.refused = why;
    else
      still.push_back({x.item, moved[x.entry], x.duplicate});
  entries_ = std::move(kept);
  waiting_ = std::move(still);
}

} // namespace tidings
