#include "actors/distributor/audience.hpp"

namespace tidings {

void audience::add(const subscription_ptr& x) {
  auto& entry = groups_[x->key()];
  if (entry.streams++ == 0) {
    entry.who = x;
    index_.add(entry);
  }
  for_each_name(*x, [this](const std::string& name) { ++mentioned_[name]; });
}

void audience::remove(const subscription_ptr& x) {
  auto i = groups_.find(x->key());
  if (i == groups_.end())
    return;
  if (--i->second.streams == 0) {
    index_.remove(i->second);
    groups_.erase(i);
  }
  for_each_name(*x, [this](const std::string& name) {
    if (auto j = mentioned_.find(name); --j->second == 0)
      mentioned_.erase(j);
  });
}

uint32_t audience::count(const std::vector<std::string>& topics, std::string_view type) {
  auto n = uint32_t{0};
  index_.for_each_match(topics, [&](group& x) {
    if (x.what().admits_type(type))
      n += x.streams;
  });
  return n;
}

} // namespace tidings
