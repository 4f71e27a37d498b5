#pragma once

#include "tidings/result.hpp"

#include <string>

namespace tidings {

struct http_answer {
  unsigned status = 0;
  std::string body;
};

/// Gets a page of a running broker. Fails with errc::internal_error if it does not answer.
/// @param token to sign in with; empty: nobody
result<http_answer> fetch(const std::string& url, const std::string& path,
                          const std::string& token);

/// Asks a broker at `url` for `/readyz`, prints its answer, and returns the exit status.
int check_health(const std::string& url);

/// Prints how the cluster looks from the node at `url`; the exit status is 0 if all members are
/// linked and nothing is amiss, 1 if not.
int show_cluster(const std::string& url, const std::string& token);

} // namespace tidings
