#pragma once

#include "tidings/config.hpp"

#include <string>
#include <vector>

namespace tidings {

/// Something wrong with a configuration as a whole.
struct config_problem {
  /// The settings concerned, the one to change first: `limits.body-bytes`, or `topic[2].ttl` for
  /// the second `[[topic]]`.
  std::vector<std::string> keys;
  std::string text; ///< one sentence
};

/// Everything that `validate` refuses.
std::vector<config_problem> find_problems(const config& x);

} // namespace tidings
