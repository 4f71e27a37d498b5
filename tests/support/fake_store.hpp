#pragma once

#include "tidings/event_store.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tidings {

/// A log and mailboxes in memory. Fails on request. Forgets nothing, but what has expired is
/// hidden.
class fake_store : public event_store {
public:
  std::vector<record> records;
  std::map<std::string, key_entry> keys;
  size_t appends = 0;
  size_t syncs = 0;
  bool member = false;
  bool last_append_synced = false;
  size_t dismissals = 0;
  size_t admitted_count = 0;
  status fail_append;
  status fail_admit;
  status fail_sync;
  status full;
  status full_for_upkeep;
  status fail_mailbox;
  int64_t now_ms = 1'000'000;
  int64_t keep_read_ms = 0; ///< how long mailboxes list what has been read; 0: for ever

  /// By user, without one of everyone, and item.
  std::map<std::pair<std::string, lsn>, mailbox_entry> entries;

  fake_store() {
    id_.bytes[7] = 9;
  }

  const node_id& node() const override {
    return id_;
  }

  uint64_t incarnation() const override {
    return 5;
  }

  bool is_member() const override {
    return member;
  }

  status append(std::span<log_entry> entries, bool sync) override {
    ++appends;
    last_append_synced = sync;
    if (fail_append)
      return fail_append;
    for (auto& x : entries) {
      x.content.position = lsn{records.size() + (x.content.content.ephemeral ? 0 : 1)};
      if (!x.body.empty()) {
        records.push_back(x.content);
        continue;
      }
      x.content.node = id_.short_form();
      x.content.time_ms = ++now_ms;
      for (auto& change : x.changes)
        put(change.user, change.entry);
      if (x.content.content.ephemeral)
        continue;
      x.content.origin = {5, records.size() + 1};
      records.push_back(x.content);
      put_item(x.content);
      if (!x.key.empty())
        keys[x.key] = {x.content.position, x.content.node, x.content.origin, x.content.time_ms,
                       x.fingerprint};
    }
    return std::nullopt;
  }

  /// What another node sends is read as events in topic `t`; empty ones are gone.
  result<std::vector<log_entry>> admit(uint64_t node,
                                       std::span<const std::string> bodies) override {
    if (fail_admit)
      return *fail_admit;
    std::vector<log_entry> admitted;
    for (auto& body : bodies) {
      auto& x = admitted.emplace_back();
      x.body = "body of " + body;
      x.content.node = node;
      x.content.origin = {7, ++admitted_count};
      x.content.time_ms = now_ms;
      x.is_gone = body.empty();
      if (!x.is_gone) {
        x.content.content.topics = {"t"};
        x.content.content.data = body;
      }
    }
    return admitted;
  }

  void dismiss_admitted() override {
    ++dismissals;
  }

  result<std::vector<record>> reoriginate(uint64_t, origin_position, origin_position) override {
    return std::vector<record>{};
  }

  result<std::vector<record>> append_set_aside() override {
    return std::vector<record>{};
  }

  status append_forgotten(const log_head&) override {
    return fail_append;
  }

  status sync() override {
    ++syncs;
    return fail_sync;
  }

  result<std::optional<key_entry>> find_key(std::string_view key, int64_t) override {
    auto i = keys.find(std::string{key});
    return i == keys.end() ? std::optional<key_entry>{} : std::optional{i->second};
  }

  status check_space(bool for_upkeep) override {
    return for_upkeep ? full_for_upkeep : full;
  }

  lsn last() const override {
    return lsn{records.size()};
  }

  result<read_outcome> read(const read_request& what, record_visitor& to) const override {
    auto until = std::min(to_integer(what.until), uint64_t{records.size()});
    auto at = what.after;
    while (to_integer(at) < until) {
      auto& x = records[to_integer(at)];
      at = next(at);
      if (!what.who->matches_any(x.content.topics))
        continue;
      if (is_past(x.content.expires_at_ms, what.now_ms))
        report(x, to);
      else if (!is_done(x, what.hide_dismissed_of, what.now_ms) && !show(x, to))
        return read_outcome{lsn{to_integer(at) - 1}, false};
    }
    return read_outcome{std::max(at, what.after), true};
  }

  result<resolved_cursor> resolve(const cursor& x, const subscription&) const override {
    auto at = x.find(id_.short_form());
    if (!at || at->incarnation != 5)
      return resolved_cursor{last(), gap_reason::unknown_cursor};
    return resolved_cursor{lsn{at->sequence}, std::nullopt};
  }

  cursor cursor_at(lsn x) const override {
    return {id_.short_form(), {5, to_integer(x)}};
  }

  std::optional<event_id> id_at(lsn x) const override {
    if (x == lsn{} || x > last())
      return std::nullopt;
    auto& found = records[to_integer(x) - 1];
    return event_id{found.node, found.origin};
  }

  std::optional<lsn> find(const event_id& x) const override {
    for (auto& found : records)
      if (found.node == x.node && found.origin == x.at)
        return found.position;
    return std::nullopt;
  }

  std::vector<log_head> heads() const override {
    return {{id_.short_form(), {5, records.size()}, 0}};
  }

  result<origin_chunk> read_origin(uint64_t, origin_position, origin_position,
                                   size_t) const override {
    return origin_chunk{};
  }

  result<lsn> before_time(int64_t unix_ms) const override {
    uint64_t n = 0;
    while (n < records.size() && records[n].time_ms < unix_ms)
      ++n;
    return lsn{n};
  }

  result<std::vector<topic_summary>> topics(std::string_view, std::string_view, size_t,
                                            int64_t) const override {
    return std::vector<topic_summary>{};
  }

  result<std::vector<mailbox_entry>> mailbox(std::string_view user, size_t limit,
                                             int64_t now) const override {
    if (fail_mailbox)
      return *fail_mailbox;
    std::vector<mailbox_entry> found;
    for (auto at = records.size(); at > 0 && found.size() < limit; --at)
      if (auto x = entry_of(user, records[at - 1]); x && is_listed(*x, now))
        found.push_back(*x);
    std::reverse(found.begin(), found.end());
    return found;
  }

  status read_records(std::span<const lsn> positions, int64_t now,
                      record_visitor& to) const override {
    if (fail_mailbox)
      return fail_mailbox;
    for (auto at : positions) {
      if (at == lsn{} || at > last())
        continue;
      auto& x = records[to_integer(at) - 1];
      if (!is_past(x.content.expires_at_ms, now) && !show(x, to))
        break;
    }
    return std::nullopt;
  }

  store_statistics statistics() const override {
    return {};
  }

private:
  static bool is_past(int64_t time_ms, int64_t now) {
    return time_ms != 0 && time_ms <= now;
  }

  static bool names(const record& x, std::string_view topic) {
    auto& topics = x.content.topics;
    return std::find(topics.begin(), topics.end(), topic) != topics.end();
  }

  bool show(const record& x, record_visitor& to) const {
    auto at = cursor_at(x.position);
    std::vector<std::string_view> topics{x.content.topics.begin(), x.content.topics.end()};
    mail_view mail;
    if (x.content.mail)
      mail = {x.content.mail->title, x.content.mail->message, x.content.mail->level};
    return to.on_record({x.position, &at, x.node, x.origin, x.time_ms, x.content.expires_at_ms,
                         x.content.kind, topics, x.content.type, x.content.id, x.content.data,
                         x.content.mail ? &mail : nullptr});
  }

  void report(const record& x, record_visitor& to) const {
    auto at = cursor_at(x.position);
    std::vector<std::string_view> topics{x.content.topics.begin(), x.content.topics.end()};
    to.on_missing({x.position, &at, gap_reason::expired, topics});
  }

  void put(const std::string& user, const mailbox_entry& x) {
    if (x.state == item_state::dismissed && !x.shared)
      entries.erase({user, x.item});
    else
      entries[{user, x.item}] = x;
  }

  void put_item(const record& x) {
    auto& content = x.content;
    if (!content.mail)
      return;
    auto shared = names(x, everyone_topic);
    mailbox_entry entry{x.position, item_state::unread, content.mail->level,
                        shared,     x.time_ms,          content.expires_at_ms,
                        0,          content.type};
    if (shared)
      put({}, entry);
    else
      for (auto& topic : content.topics)
        if (auto user = user_of_topic(topic))
          put(std::string{*user}, entry);
  }

  /// The entry of a record in a user's mailbox.
  std::optional<mailbox_entry> entry_of(std::string_view user, const record& x) const {
    auto own = entries.find({std::string{user}, x.position});
    if (own != entries.end())
      return own->second;
    auto shared = entries.find({std::string{}, x.position});
    return shared == entries.end() ? std::nullopt : std::optional{shared->second};
  }

  bool is_listed(const mailbox_entry& x, int64_t now) const {
    auto read_for_long =
      x.state == item_state::read && keep_read_ms != 0 && x.changed_ms + keep_read_ms <= now;
    return x.state != item_state::dismissed && !is_past(x.expires_at_ms, now) && !read_for_long;
  }

  bool is_done(const record& x, std::string_view user, int64_t now) const {
    if (!x.content.mail || user.empty()
        || !(names(x, everyone_topic) || names(x, user_topic(user))))
      return false;
    auto entry = entry_of(user, x);
    return !entry || !is_listed(*entry, now);
  }

  node_id id_;
};

} // namespace tidings
