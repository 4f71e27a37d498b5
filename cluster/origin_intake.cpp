#include "cluster/origin_intake.hpp"

namespace tidings::cluster {

fit origin_intake::judge(const replica& x) const noexcept {
  auto& last = accepted_.at;
  if (x.at == last)
    return x.chain == accepted_.chain ? fit::known : fit::fork;
  if (x.at < last)
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
