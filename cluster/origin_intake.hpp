#pragma once

#include "cluster/message.hpp"

#include <cstddef>
#include <cstdint>

namespace tidings::cluster {

/// Whether both name the same record, but not the same one.
constexpr bool forks(const origin_head& x, const origin_head& y) noexcept {
  return x.at == y.at && x.chain != y.chain && x.chain != 0 && y.chain != 0;
}

/// What a record is to who holds the records of its node up to somewhere.
enum class fit : uint8_t {
  known,     ///< there already, or superseded
  next,      ///< continues what is there
  hole,      ///< something in between is missing
  late_tail, ///< the node went on without the last records that are here
  fork,      ///< another record has its name
};

/// How far the records of one node have come here: on disk, and on their way there. Keeps no
/// record.
class origin_intake {
public:
  explicit origin_intake(const origin_head& on_disk) : head_(on_disk), accepted_(on_disk) {
    // nop
  }

  /// The last one that is on disk.
  const origin_head& head() const noexcept {
    return head_;
  }

  /// The last one that has been given to the store; what comes has to continue it.
  const origin_head& accepted() const noexcept {
    return accepted_;
  }

  /// Whether the store has still to answer for something.
  bool busy() const noexcept {
    return works_ > 0;
  }

  /// Whether records may be taken now: not while the store may refuse what was given to it.
  bool open() const noexcept {
    return !closed_;
  }

  fit judge(const replica& x) const noexcept;

  /// The node went on with `incarnation` after `from`: what older incarnations have beyond that is
  /// not taken any more.
  void supersede(const origin_position& from, uint64_t incarnation) noexcept {
    superseded_after_ = from;
    superseded_by_ = incarnation;
  }

  /// `x` is going to be appended to the work that `begin` counts.
  void accept(const origin_head& x) noexcept {
    accepted_ = x;
  }

  /// The store got something to do. If it is to take records away, nothing is accepted until it is
  /// done.
  void begin(bool takes_away = false) noexcept {
    ++works_;
    closed_ = closed_ || takes_away;
  }

  /// The store is done with one work; `refused`: it is not, and nothing that came after can be.
  /// @returns whether records have been turned away meanwhile: they have to be asked for again
  bool end(bool refused) noexcept;

  /// The store has the records up to `x` on disk.
  void set_head(const origin_head& x) noexcept;

private:
  origin_head head_;
  origin_head accepted_;
  origin_position superseded_after_;
  uint64_t superseded_by_ = 0;
  size_t works_ = 0;
  bool closed_ = false;
};

} // namespace tidings::cluster
