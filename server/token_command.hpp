#pragma once

#include "tidings/config_loader.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

namespace tidings {

/// `tidings token make`, `check` and `hash`: what an operator needs to try out and set up signing
/// in.
class token_command {
public:
  /// @param under the command `token`
  explicit token_command(CLI::App& under);

  /// `token check`, which reads a configuration.
  CLI::App* check_command() noexcept {
    return check_;
  }

  /// Does what the command line asked for and returns the exit status.
  int run(const std::function<config_sources()>& sources) const;

private:
  int make() const;
  int check(const config_sources& from) const;
  int hash() const;

  CLI::App* make_;
  CLI::App* check_;
  CLI::App* hash_;
  std::string key_file_;
  std::string algorithm_;
  std::string key_id_;
  std::string issuer_;
  std::string audience_;
  std::string user_;
  std::vector<std::string> publish_;
  std::vector<std::string> subscribe_;
  bool admin_ = false;
  std::string ttl_ = "1h";
  std::string token_ = "-";
};

} // namespace tidings
