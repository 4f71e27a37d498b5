#pragma once

#include "storage/keys.hpp"
#include "storage/store_fixture.hpp"
#include "storage/store_opening.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// What the tests of mailboxes share.

namespace tidings::storage::testing {

inline log_entry make_item(std::vector<std::string> topics, std::string title,
                           int64_t expires_at_ms = 0) {
  log_entry x;
  auto& content = x.content.content;
  content.topics = std::move(topics);
  content.type = "note";
  content.expires_at_ms = expires_at_ms;
  content.mail = std::make_shared<mail>(mail{std::move(title), "", priority::normal});
  return x;
}

/// What a user does with items, as an event that tells of it.
inline log_entry make_change(std::string_view user, std::vector<mailbox_entry> entries) {
  log_entry x;
  auto& content = x.content.content;
  content.topics = {mailbox_topic(user)};
  content.type = mailbox_event;
  for (auto& entry : entries)
    x.changes.push_back({std::string{user}, std::move(entry)});
  return x;
}

struct mailbox_fixture : store_fixture {
  uint64_t send(std::vector<std::string> users, int64_t expires_at_ms = 0) {
    for (auto& x : users)
      x = user_topic(x);
    return send_to(std::move(users), expires_at_ms);
  }

  uint64_t send_to_everyone(int64_t expires_at_ms = 0) {
    return send_to({std::string{everyone_topic}}, expires_at_ms);
  }

  uint64_t send_to(std::vector<std::string> topics, int64_t expires_at_ms = 0) {
    return to_integer(append_one(*store, make_item(std::move(topics), "", expires_at_ms)).position);
  }

  std::vector<mailbox_entry> list(std::string_view user, size_t limit = 1000) {
    auto xs = store->mailbox(user, limit, clock.wall);
    if (!xs)
      throw std::runtime_error(xs.error().detail);
    return *xs;
  }

  /// Positions, and states that are not `unread` behind them: `3 5+read`.
  std::string show(std::string_view user, size_t limit = 1000) {
    std::string out;
    for (auto& x : list(user, limit)) {
      if (!out.empty())
        out += ' ';
      out += std::to_string(to_integer(x.item));
      if (x.state != item_state::unread)
        out += std::string{"+"} + to_string(x.state);
    }
    return out;
  }

  void change(std::string_view user, uint64_t item, item_state to) {
    for (auto& x : list(user))
      if (x.item == lsn{item}) {
        x.state = to;
        x.changed_ms = clock.wall;
        append_one(*store, make_change(user, {x}));
        return;
      }
    throw std::runtime_error("the mailbox does not list the item");
  }

  /// Time passes in steps that the guarded clock follows.
  void pass(int64_t ms) {
    for (; ms > 0; ms -= minute_ms) {
      clock.advance(std::min(ms, minute_ms));
      store->clock().delete_now_ms();
    }
  }

  void maintain() {
    if (auto failed = store->maintain(true))
      throw std::runtime_error(failed->detail);
  }

  /// The entries that are on disk, as `user/position`, of everyone without a user.
  std::string stored() {
    close();
    std::string out;
    {
      auto x = open_store(settings, mailboxes, clock, current_schema());
      if (!x)
        throw std::runtime_error(x.error().detail);
      auto& db = *x->db;
      std::unique_ptr<rocksdb::Iterator> at{db.raw().NewIterator({}, db.at(family::mailbox))};
      for (at->SeekToFirst(); at->Valid(); at->Next()) {
        auto key = parse_mailbox_key(view(at->key()));
        if (!key || !parse_mailbox_entry(key->item, view(at->value())))
          throw std::runtime_error("an entry cannot be read");
        if (!out.empty())
          out += ' ';
        out += std::string{key->user} + '/' + std::to_string(to_integer(key->item));
      }
    }
    if (!open())
      throw std::runtime_error(error.detail);
    return out;
  }

  /// Entries of the index of a topic.
  size_t indexed(std::string_view topic) {
    close();
    size_t n = 0;
    {
      auto x = open_store(settings, mailboxes, clock, current_schema());
      if (!x)
        throw std::runtime_error(x.error().detail);
      auto& db = *x->db;
      std::unique_ptr<rocksdb::Iterator> at{db.raw().NewIterator({}, db.at(family::topic))};
      for (at->SeekToFirst(); at->Valid(); at->Next())
        if (auto key = parse_topic_key(view(at->key())); key && key->topic == topic)
          n += key->position != lsn{};
    }
    if (!open())
      throw std::runtime_error(error.detail);
    return n;
  }

  recorder records(std::vector<uint64_t> positions) {
    std::vector<lsn> xs;
    for (auto x : positions)
      xs.push_back(lsn{x});
    recorder to;
    if (auto failed = store->read_records(xs, clock.wall, to))
      throw std::runtime_error(failed->detail);
    return to;
  }

  /// What a user's stream shows.
  recorder replay(std::string_view user, uint64_t after = 0, bool reverse = false) {
    std::vector<topic_pattern> topics;
    for (auto& x : {user_topic(user), std::string{everyone_topic}, mailbox_topic(user)})
      topics.push_back(*topic_pattern::parse(x));
    return read(subscription{std::move(topics)}, after, [&](read_request& x) {
      x.hide_dismissed_of = user;
      x.reverse = reverse;
    });
  }
};

} // namespace tidings::storage::testing
