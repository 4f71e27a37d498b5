#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace bench {

/// `MODE --name value …`. Every look-up names its default; what nobody looked up is refused before
/// anything is measured, see `refuse_unknown`.
class options {
public:
  options(int argc, char** argv);

  const std::string& mode() const {
    return mode_;
  }

  std::string text(std::string_view name, std::string_view otherwise);
  uint64_t number(std::string_view name, uint64_t otherwise);
  double real(std::string_view name, double otherwise);
  std::vector<pid_t> pids(std::string_view name);
  std::vector<uint16_t> ports(std::string_view name);

  /// Ends the program if an option was given that no look-up asked for.
  void refuse_unknown() const;

private:
  struct given {
    std::string value;
    bool used = false;
  };

  given* find(std::string_view name);
  std::vector<std::string> list(std::string_view name);

  std::string mode_;
  std::map<std::string, given, std::less<>> given_;
};

[[noreturn]] void fail(const std::string& what);

} // namespace bench
