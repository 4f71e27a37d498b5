#include "cluster/replicator_status.hpp"

namespace tidings::cluster {

uint64_t records_between(const origin_position& from, const origin_position& to) noexcept {
  if (to <= from)
    return 0;
  return from.incarnation == to.incarnation ? to.sequence - from.sequence : to.sequence;
}

} // namespace tidings::cluster
