#pragma once

#include "tidings/result.hpp"

#include <string>

namespace tidings {

struct http_answer {
  unsigned status = 0;
  std::string body;
};

struct http_question {
  std::string url; ///< of a broker; what follows its host and port does not count
  std::string path;
  std::string token; ///< to sign in with; empty: nobody
  std::string method = "GET";
  std::string body = {};
};

/// Asks a running broker. Fails with errc::internal_error if it does not answer.
result<http_answer> ask(const http_question& x);

/// Asks a broker at `url` for `/readyz`, prints its answer, and returns the exit status.
int check_health(const std::string& url);

} // namespace tidings
