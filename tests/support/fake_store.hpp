#pragma once

#include "tidings/event_store.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace tidings {

/// A log in memory. Fails on request.
class fake_store : public event_store {
public:
  std::vector<record> records;
  std::map<std::string, key_entry> keys;
  size_t appends = 0;
  size_t syncs = 0;
  bool last_append_synced = false;
  status fail_append;
  status full;
  int64_t now_ms = 1'000'000;

  fake_store() {
    id_.bytes[7] = 9;
  }

  const node_id& node() const override {
    return id_;
  }

  uint64_t incarnation() const override {
    return 5;
  }

  status append(std::span<log_entry> entries, bool sync) override {
    ++appends;
    last_append_synced = sync;
    if (fail_append)
      return fail_append;
    for (auto& x : entries) {
      x.content.position = lsn{records.size() + (x.content.content.ephemeral ? 0 : 1)};
      x.content.time_ms = ++now_ms;
      if (x.content.content.ephemeral)
        continue;
      x.content.origin = {5, records.size() + 1};
      records.push_back(x.content);
      if (!x.key.empty())
        keys[x.key] = {x.content.position, x.content.origin, x.content.time_ms, x.fingerprint};
    }
    return std::nullopt;
  }

  status sync() override {
    ++syncs;
    return std::nullopt;
  }

  result<std::optional<key_entry>> find_key(std::string_view key, int64_t) override {
    auto i = keys.find(std::string{key});
    return i == keys.end() ? std::optional<key_entry>{} : std::optional{i->second};
  }

  status check_space() override {
    return full;
  }

  lsn last() const override {
    return lsn{records.size()};
  }

  result<read_outcome> read(const read_request& what, record_visitor& to) const override {
    auto until = std::min(to_integer(what.until), uint64_t{records.size()});
    auto at = what.after;
    while (to_integer(at) < until) {
      auto& x = records[to_integer(at)];
      if (what.who->matches_any(x.content.topics)) {
        std::vector<std::string_view> topics{x.content.topics.begin(), x.content.topics.end()};
        record_view view;
        view.position = x.position;
        view.origin = x.origin;
        view.time_ms = x.time_ms;
        view.kind = x.content.kind;
        view.topics = topics;
        view.type = x.content.type;
        view.data = x.content.data;
        if (!to.on_record(view))
          return read_outcome{at, false};
      }
      at = next(at);
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

  store_statistics statistics() const override {
    return {};
  }

private:
  node_id id_;
};

} // namespace tidings
