#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace tidings {

/// The variable that holds the token for these commands: no setting, although it looks like one.
inline constexpr auto token_variable = "TIDINGS_TOKEN";

/// `tidings cluster status`, `add`, `remove` and `drain`: what an operator does about a cluster,
/// through the node that a URL names.
class cluster_command {
public:
  /// @param under the command `cluster`
  explicit cluster_command(CLI::App& under);

  /// The commands, all of which need a URL: see `run`.
  const std::vector<CLI::App*>& commands() const noexcept {
    return all_;
  }

  /// Does what the command line asked for.
  /// @returns the exit status: 0, done and all is well
  int run(const std::string& url) const;

private:
  int status(const std::string& url) const;
  int add(const std::string& url) const;
  int remove(const std::string& url) const;
  int drain(const std::string& url) const;

  std::vector<CLI::App*> all_;
  CLI::App* status_;
  CLI::App* add_;
  CLI::App* remove_;
  CLI::App* drain_;
  std::string token_;
  std::string member_;
  bool force_ = false;
  bool undo_ = false;
};

} // namespace tidings
