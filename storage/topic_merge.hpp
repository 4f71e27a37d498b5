#pragma once

#include "storage/database.hpp"
#include "tidings/event_store.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tidings::storage {

/// The positions in `(after, until]` that are of interest to a reader of some topics, in log order
/// or against it, each once: what the topics hold, of what is gone from each the highest position,
/// and what concerns everyone. All of one moment.
class topic_merge {
public:
  topic_merge(const database& db, const std::vector<std::string>& topics, lsn after, lsn until,
              bool reverse);

  /// Whether the index can answer: not if something is gone from a topic beyond `until`, for then
  /// only the log knows what was there.
  bool can_answer() const noexcept {
    return can_answer_;
  }

  bool valid() const noexcept {
    return !heap_.empty();
  }

  lsn position() const noexcept {
    return heap_.front()->next();
  }

  void advance();

  status failed() const;

private:
  /// The entries of one topic, read ahead in pieces, so that one iterator serves all topics.
  struct source {
    std::string_view topic;
    lsn after{};  ///< entries at or below are not shown
    lsn floor{};  ///< to be shown too; 0: nothing
    lsn resume{}; ///< where to read on, inclusive; 0: nothing left
    std::vector<lsn> ahead;
    size_t at = 0;

    lsn next() const noexcept {
      return ahead[at];
    }
  };

  void begin(source& x);

  /// Whether there is a next position.
  bool fill(source& x);

  void push(source& x);

  std::unique_ptr<rocksdb::Iterator> at_;
  lsn until_;
  bool reverse_;
  bool can_answer_ = true;
  bool corrupt_ = false;
  std::string key_;
  std::vector<source> sources_;
  std::vector<source*> heap_; // the source whose position is next comes first
};

} // namespace tidings::storage
