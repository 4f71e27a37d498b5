#pragma once

#include "tidings/membership.hpp"
#include "tidings/position.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tidings {

/// The members, and which node each of them turned out to be. A member that was not
/// heard of yet counts all the same: it has a stand-in for its id.
class member_list {
public:
  struct member {
    std::string name;
    std::string address;
    uint64_t node = 0; ///< short form, or the stand-in
    bool known = false;
  };

  /// @param self name and short form of this node
  member_list(const membership& list, const std::string& self, uint64_t node)
    : self_(self), self_node_(node) {
    set(list);
  }

  /// Another list. What is known of those that stay is kept.
  void set(const membership& list) {
    std::vector<member> next;
    for (auto& x : list.members) {
      auto is_self = x.name == self_;
      auto& added = next.emplace_back(
        member{x.name, x.address, is_self ? self_node_ : next.size() + 1, is_self});
      if (auto known = find(x.name); known && known->known) {
        added.node = known->node;
        added.known = true;
      }
    }
    members_ = std::move(next);
  }

  /// A node proved to be a member. One that comes back without its disk has a new id.
  /// @returns whether the ids of the list changed
  bool learn(const std::string& name, uint64_t node) {
    for (auto& x : members_)
      if (x.name == name) {
        auto is_new = !x.known || x.node != node;
        x.node = node;
        x.known = true;
        return is_new;
      }
    return false;
  }

  const member* find(const std::string& name) const {
    for (auto& x : members_)
      if (x.name == name)
        return &x;
    return nullptr;
  }

  const member* find(uint64_t node) const {
    for (auto& x : members_)
      if (x.known && x.node == node)
        return &x;
    return nullptr;
  }

  const std::vector<member>& all() const noexcept {
    return members_;
  }

  std::vector<uint64_t> ids() const {
    std::vector<uint64_t> xs;
    for (auto& x : members_)
      xs.push_back(x.node);
    return xs;
  }

private:
  std::string self_;
  uint64_t self_node_;
  std::vector<member> members_;
};

} // namespace tidings
