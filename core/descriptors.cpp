#include "tidings/descriptors.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace tidings {

namespace {

constexpr uint64_t store_files_wanted = 512;

/// Logs, files that a compaction writes, threads, listeners, and sockets on their way out.
constexpr uint64_t others_wanted = 128;

} // namespace

descriptor_budget share_descriptors(uint64_t limit) {
  auto store = std::min(store_files_wanted, limit / 4);
  auto others = std::min(others_wanted, limit / 4);
  return {static_cast<uint32_t>(store), limit - store - others};
}

uint64_t raise_descriptor_limit() {
  rlimit x{};
  if (getrlimit(RLIMIT_NOFILE, &x) == 0 && x.rlim_cur < x.rlim_max) {
    x.rlim_cur = x.rlim_max;
    setrlimit(RLIMIT_NOFILE, &x);
  }
  return descriptor_limit();
}

uint64_t descriptor_limit() {
  rlimit x{};
  return getrlimit(RLIMIT_NOFILE, &x) == 0 ? static_cast<uint64_t>(x.rlim_cur) : 1024;
}

} // namespace tidings
