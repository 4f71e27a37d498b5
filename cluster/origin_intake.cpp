#include "cluster/origin_intake.hpp"

namespace tidings::cluster {

fit origin_intake::judge(const replica& x) const noexcept {
  auto& last = accepted_.at;
  if (forks(accepted_, {accepted_.node, x.at, x.chain}))
    return fit::fork;
  auto superseded = x.at > superseded_after_ && x.at.incarnation < superseded_by_;
  if (x.at <= last || superseded)
    return fit::known;
  if (x.at.incarnation == last.incarnation)
    return x.at.sequence == last.sequence + 1 ? fit::next : fit::hole;
  if (x.at.sequence != 1 || x.follows > last)
    return fit::hole;
  return x.follows == last ? fit::next : fit::late_tail;
}

bool origin_intake::end(bool refused) noexcept {
  closed_ = closed_ || refused;
  if (--works_ > 0 || !closed_)
    return false;
  closed_ = false;
  accepted_ = head_;
  return true;
}

void origin_intake::set_head(const origin_head& x) noexcept {
  head_ = x;
  if (works_ == 0 || accepted_.at < x.at)
    accepted_ = x;
}

} // namespace tidings::cluster
