#include "http/stream_census.hpp"

namespace tidings::http {

stream_census::place::place(std::shared_ptr<stream_census> of, std::string key)
  : of_(std::move(of)), key_(std::move(key)) {
  // nop
}

stream_census::place::~place() {
  of_->leave(*this);
}

void stream_census::place::settle(uint64_t id) {
  std::lock_guard lock{of_->mutex_};
  id_ = id;
}

stream_census::admission stream_census::enter(const std::string& key, uint32_t max, bool replace) {
  admission x;
  auto made = std::make_shared<place>(shared_from_this(), key);
  std::lock_guard lock{mutex_};
  auto known = places_.find(key);
  if (max != 0 && known != places_.end() && known->second.size() >= max) {
    if (!replace)
      return x; // `made` was never listed; it leaves after the lock, which was taken later
    for (auto* old : known->second) {
      if (known->second.size() - x.replaced.size() < max)
        break;
      if (old->id_ != 0)
        x.replaced.push_back(old->id_);
    }
  }
  places_[key].push_back(made.get());
  x.taken = std::move(made);
  return x;
}

void stream_census::leave(const place& x) {
  std::lock_guard lock{mutex_};
  auto i = places_.find(x.key_);
  if (i == places_.end())
    return;
  std::erase(i->second, &x);
  if (i->second.empty())
    places_.erase(i);
}

} // namespace tidings::http
