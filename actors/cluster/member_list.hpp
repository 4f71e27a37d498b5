#pragma once

#include "tidings/config.hpp"
#include "tidings/position.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tidings {

/// The configured members, and which node each of them turned out to be. A member that was not
/// heard of yet counts all the same: it has a stand-in for its id.
class member_list {
public:
  struct member {
    std::string name;
    std::string address;
    uint64_t node = 0; ///< short form, or the stand-in
    bool known = false;
  };

  /// @param members as the configuration writes them; those that cannot be read are left out
  member_list(const std::vector<std::string>& members, const std::string& self, uint64_t node) {
    for (auto& text : members)
      if (auto x = parse_member(text)) {
        auto is_self = x->name == self;
        members_.push_back({std::move(x->name), std::move(x->address),
                            is_self ? node : members_.size() + 1, is_self});
      }
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
  std::vector<member> members_;
};

} // namespace tidings
