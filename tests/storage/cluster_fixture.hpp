#pragma once

#include "storage/mailbox_fixture.hpp"

#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// What the tests of logs that hold the records of several nodes share.

namespace tidings::storage::testing {

inline constexpr origin_position no_end{std::numeric_limits<uint64_t>::max(),
                                        std::numeric_limits<uint64_t>::max()};

/// Puts what a user did into the event that tells of it, as other nodes read it.
inline void tell(log_entry& x, std::string_view user, const event_id& item, item_state to,
                 int64_t at_ms) {
  x.content.content.data = std::string{user} + ' ' + item.to_string(true) + ' '
                           + std::to_string(static_cast<int>(to)) + ' ' + std::to_string(at_ms);
}

inline std::vector<mailbox_raise> told_by(const event& x) {
  if (x.type != mailbox_event)
    return {};
  std::istringstream in{x.data};
  std::string user;
  std::string item;
  int state = 0;
  int64_t at_ms = 0;
  in >> user >> item >> state >> at_ms;
  auto id = event_id::parse(item);
  if (!id)
    return {}; // of a store that brokers wrote: that is JSON, which actors read
  return {{user, *id, static_cast<item_state>(state), at_ms}};
}

/// One node of a cluster, without anything between it and the others.
struct member : mailbox_fixture {
  member() {
    settings.is_member = true;
    start();
  }

  void start() {
    clock.advance(2000); // time counts as incarnations
    if (!reopen())
      throw std::runtime_error(error.detail);
  }

  uint64_t id() const {
    return store->node().short_form();
  }

  log_head head_of(uint64_t node) const {
    for (auto& x : store->heads())
      if (x.node == node)
        return x;
    return {node, {}, 0};
  }

  /// Where the log stands, by node.
  std::map<uint64_t, std::pair<origin_position, uint64_t>> heads() const {
    std::map<uint64_t, std::pair<origin_position, uint64_t>> found;
    for (auto& x : store->heads())
      found[x.node] = {x.at, x.chain};
    return found;
  }

  origin_chunk chunk(uint64_t node, origin_position after, size_t bytes_max = 1 << 20,
                     origin_position up_to = no_end) const {
    auto x = store->read_origin(node, after, up_to, bytes_max);
    if (!x)
      throw std::runtime_error(x.error().detail);
    return std::move(*x);
  }

  /// All records of a node, chunk by chunk.
  std::vector<travelling_record> records_of(uint64_t node, size_t bytes_max = 1 << 20) const {
    std::vector<travelling_record> all;
    for (origin_position at;;) {
      auto x = chunk(node, at, bytes_max);
      for (auto& record : x.records) {
        at = record.at;
        all.push_back(std::move(record));
      }
      if (x.end_reached)
        return all;
    }
  }

  /// Entries of what another node was sent; they wait to be appended.
  std::vector<log_entry> admit(uint64_t node, const std::vector<travelling_record>& records) {
    std::vector<std::string> bodies;
    for (auto& x : records)
      bodies.push_back(x.body);
    auto entries = store->admit(node, bodies);
    if (!entries)
      throw std::runtime_error(entries.error().detail);
    for (auto& x : *entries)
      x.raises = told_by(x.content.content);
    return std::move(*entries);
  }

  void append(std::vector<log_entry> entries) {
    if (entries.empty())
      return;
    if (auto failed = store->append(entries, true))
      throw std::runtime_error(failed->detail);
  }

  /// Takes records of one node from another.
  /// @returns whether there were any
  bool pull(const member& from, uint64_t node, size_t bytes_max = 1 << 20) {
    auto x = from.chunk(node, head_of(node).at, bytes_max);
    if (x.forgotten)
      if (auto failed = store->append_forgotten(*x.forgotten))
        throw std::runtime_error(failed->detail);
    append(admit(node, x.records));
    return x.forgotten || !x.records.empty();
  }

  /// Everything that the other has.
  void pull_all(const member& from, size_t bytes_max = 1 << 20) {
    for (auto& head : from.store->heads())
      while (pull(from, head.node, bytes_max)) {
        // nop
      }
  }

  /// What a user does, decided by what this node knows.
  void act(std::string_view user, lsn item, item_state to) {
    for (auto& x : list(user))
      if (x.item == item && x.state < to) {
        x.state = to;
        x.changed_ms = clock.wall;
        auto entry = make_change(user, {x});
        tell(entry, user, *store->id_at(item), to, clock.wall);
        append_one(*store, entry);
      }
  }

  /// Names of items, and states that are not `unread` behind them, in any order.
  std::map<std::string, std::string> mailbox_of(std::string_view user) {
    std::map<std::string, std::string> found;
    for (auto& x : list(user))
      found[store->id_at(x.item)->to_string(true)] = to_string(x.state);
    return found;
  }
};

/// Until nobody has anything for another.
inline void exchange(std::vector<member*> nodes) {
  for (size_t i = 0; i < nodes.size(); ++i)
    for (auto to : nodes)
      for (auto from : nodes)
        if (to != from)
          to->pull_all(*from);
}

/// The topics of subscriptions in these tests.
inline std::string topic_name(uint64_t i) {
  return std::string{"t:"} + static_cast<char>('a' + i);
}

} // namespace tidings::storage::testing
