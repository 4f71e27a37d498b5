#pragma once

#include "actors/cluster/replication.hpp"
#include "actors/messages.hpp"
#include "tidings/event_store.hpp"

#include <functional>
#include <unordered_map>
#include <vector>

namespace tidings {

/// Publishes that will be committed together: decides what is a repeat, what is stored, at which
/// level, and what each publisher is told. Used on the writer's thread only.
class commit_group {
public:
  struct limits {
    size_t events_max;
    size_t bytes_max;
    milliseconds idempotency_window;
  };

  /// @param store outlives the group
  /// @param gate what the cluster allows; outlives the group; nullptr: the node is alone
  commit_group(event_store& store, limits bounds, const cluster_gate* gate = nullptr);

  /// Takes over a request. Repeats of keys, also of those in this group, are recognised here.
  void add(publish_ptr x, int64_t now_ms);

  /// Takes over records of another node.
  /// @param cfg for the retention of their topics
  void add(replica_work_ptr x, const config& cfg, int64_t now_ms);

  /// Takes over events of another node that are delivered and not stored.
  void add(const std::vector<record>& xs);

  bool empty() const noexcept {
    return entries_.empty() && requests_.empty() && works_.empty() && refused_.empty();
  }

  /// Whether it should be committed before more is added.
  bool full() const noexcept;

  struct outcome {
    batch_ptr batch;                   ///< to deliver; nullptr: nothing
    std::vector<publish_ptr> answered; ///< all requests of the group
    bool synced = false;
    bool has_ephemeral = false; ///< events of this node in the batch that are not stored
    std::vector<uint64_t> done; ///< tickets of works whose records are stored now
    std::vector<commit_report::refusal> refused;
    status broken; ///< the store failed: it must not be used any more
  };

  /// Writes the group, and leaves it empty.
  outcome commit();

private:
  /// An item that is waiting for the outcome of an entry.
  struct waiting {
    publish_item* item;
    size_t entry;
    bool duplicate;
  };

  void refuse_what_cannot_be(publish_item& x) const;
  bool check_key(publish_item& x, int64_t now_ms);
  failure conflict() const;
  void enlist(publish_item& x, int64_t now_ms);
  void settle_repeat(publish_item& x, const status& broken);
  void refuse_works();
  void refuse_all(const failure& why);
  void refuse_unless(const failure& why, const std::function<bool(const log_entry&)>& stays);

  event_store& store_;
  limits limits_;
  const cluster_gate* gate_;
  std::vector<publish_ptr> requests_;
  std::vector<log_entry> entries_;
  std::vector<waiting> waiting_;
  std::unordered_map<std::string, size_t> keys_; // of entries
  std::vector<replica_work_ptr> works_;
  int64_t now_ms_ = 0;
  std::vector<commit_report::refusal> refused_;
  size_t bytes_ = 0;
  bool sync_ = false;
};

} // namespace tidings
