#include "tidings/ownership.hpp"

#include <algorithm>
#include <cstdint>

namespace tidings {

namespace {

/// FNV-1a of both, and the finisher of SplitMix64, so that all bits count. Never to be changed:
/// nodes of different versions have to agree.
uint64_t weight(std::string_view member, std::string_view topic) noexcept {
  auto x = uint64_t{0xcbf29ce484222325};
  auto add = [&x](char c) { x = (x ^ static_cast<uint8_t>(c)) * 0x100000001b3; };
  std::for_each(member.begin(), member.end(), add);
  add('\n');
  std::for_each(topic.begin(), topic.end(), add);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

} // namespace

ownership::ownership(const config& x) : self_(x.cluster.node) {
  for (auto& text : x.cluster.members)
    if (auto member = parse_member(text))
      members_.push_back(std::move(member->name));
  auto is_strict = [](const topic_rule& rule) { return rule.order == publish_order::strict; };
  if (members_.size() > 1 && std::any_of(x.topic.begin(), x.topic.end(), is_strict))
    rules_ = x.topic;
}

void ownership::add(answer& to, const std::vector<std::string>& topics) const {
  for (auto& topic : topics) {
    if (!is_strict(topic))
      continue;
    auto& owner = owner_of(topic);
    to.has_several = to.has_several || (!to.owner.empty() && to.owner != owner);
    to.owner = owner;
  }
}

const std::string& ownership::owner_of(std::string_view topic) const {
  return *std::max_element(members_.begin(), members_.end(),
                           [topic](const std::string& x, const std::string& y) {
                             return weight(x, topic) < weight(y, topic);
                           });
}

bool ownership::is_strict(const std::string& topic) const {
  auto rule = std::find_if(rules_.begin(), rules_.end(),
                           [&](const topic_rule& x) { return x.pattern.matches(topic); });
  return rule != rules_.end() && rule->order == publish_order::strict;
}

} // namespace tidings
