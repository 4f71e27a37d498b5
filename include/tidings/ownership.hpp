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
  struct answer {
    std::string owner;        ///< another member; empty: this node may take it
    bool has_several = false; ///< the topics have different owners
  };

  explicit ownership(const config& x);

  answer of(const std::vector<std::string>& topics) const;

  /// Owner of a strict topic by rendezvous hashing (Thaler and Ravishankar, 1998).
  const std::string& owner_of(std::string_view topic) const;

private:
  bool is_strict(const std::string& topic) const;

  std::vector<topic_rule> rules_; // none of them strict: empty
  std::vector<std::string> members_;
  std::string self_;
};

} // namespace tidings
