#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

// What each fuzz target needs. A target takes bytes, lets the code under test have them, and checks
// what must hold whatever they are.

namespace tidings::fuzz {

/// Ends the run with a finding.
[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "finding: %s\n", what);
  std::abort();
}

inline void require(bool holds, const char* what) {
  if (!holds)
    fail(what);
}

/// Cuts input into parts: each is what comes before the next 0xff byte, which no UTF-8 holds.
class parts {
public:
  explicit parts(std::string_view all) : rest_(all) {
    // nop
  }

  std::string_view next() {
    auto end = rest_.find('\xff');
    auto part = rest_.substr(0, end);
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    return part;
  }

  uint8_t byte() {
    if (rest_.empty())
      return 0;
    auto x = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return x;
  }

  std::string_view rest() const noexcept {
    return rest_;
  }

private:
  std::string_view rest_;
};

void run(std::string_view input);

} // namespace tidings::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tidings::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
