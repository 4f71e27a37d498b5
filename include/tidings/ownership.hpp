#pragma once

#include "tidings/config.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// Which member takes the publishes to topics with the order `strict`: the same on every node that
/// has the same list of members, whoever is up, so that a node that comes and goes moves no topic.
class ownership {
public:
  /// Who has to take events that stay together.
  struct answer {
    std::string owner;        ///< empty: any member may
    bool has_several = false; ///< their topics have different owners: nobody can
  };

  explicit ownership(const config& x);

  /// Takes the topics of one more event into account.
  void add(answer& to, const std::vector<std::string>& topics) const;

  /// Whether another member has to take them.
  bool is_elsewhere(const answer& x) const {
    return !x.owner.empty() && x.owner != self_;
  }

  /// Owner of a strict topic by rendezvous hashing (Thaler and Ravishankar, 1998).
  const std::string& owner_of(std::string_view topic) const;

private:
  bool is_strict(const std::string& topic) const;

  std::vector<topic_rule> rules_; // none of them strict: empty
  std::vector<std::string> members_;
  std::string self_;
};

} // namespace tidings
