#include "actors/cluster/live_links.hpp"

#include <caf/all.hpp>

#include <utility>

namespace tidings::cluster {

namespace {

void end(const caf::actor_addr& x) {
  if (auto alive = caf::actor_cast<caf::actor>(x))
    caf::anon_send_exit(alive, caf::exit_reason::user_shutdown);
}

} // namespace

void live_links::add(const caf::actor& owner, const caf::actor_addr& x) {
  bool is_first = false;
  {
    std::lock_guard guard{mutex_};
    if (ended_)
      return end(x);
    links_.insert(x);
    is_first = !std::exchange(attached_, true);
  }
  if (is_first) // calls back at once if the owner has ended meanwhile
    owner->attach_functor([self = shared_from_this()] { self->end_all(); });
}

void live_links::remove(const caf::actor_addr& x) {
  std::lock_guard guard{mutex_};
  links_.erase(x);
}

void live_links::end_all() {
  std::unordered_set<caf::actor_addr> links;
  {
    std::lock_guard guard{mutex_};
    ended_ = true;
    links.swap(links_);
  }
  for (auto& x : links)
    end(x);
}

} // namespace tidings::cluster
