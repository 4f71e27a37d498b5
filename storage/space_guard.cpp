#include "storage/space_guard.hpp"

#include "storage/files.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/statvfs.h>

namespace tidings::storage {

namespace {

constexpr uint64_t mebibyte = 1024 * 1024;
constexpr uint64_t start_margin = 32 * mebibyte;

std::string in_mebibytes(uint64_t x) {
  return std::to_string(x / mebibyte) + " MiB";
}

} // namespace

uint64_t wal_bytes_max(const storage_config& x) noexcept {
  return 2 * x.write_buffer_bytes;
}

uint64_t reserve_of(const storage_config& x, const disk_space& space) noexcept {
  if (x.reserve)
    return *x.reserve;
  return std::max(space.total / 20, 2 * (x.write_buffer_bytes + wal_bytes_max(x)) + 512 * mebibyte);
}

space_guard::space_guard(const storage_config& settings, const clock_source& clock, probe measure)
  : settings_(settings), clock_(clock), measure_(std::move(measure)) {
  // nop
}

status space_guard::check(bool for_upkeep) {
  std::lock_guard guard{mutex_};
  auto now = clock_.steady_ms();
  if (!checked_ms_ || now - *checked_ms_ >= interval_ms) {
    checked_ms_ = now;
    look();
  }
  return for_upkeep ? upkeep_ : found_;
}

void space_guard::look() {
  found_.reset();
  upkeep_.reset();
  auto space = measure_();
  if (!space) {
    found_ = upkeep_ = space.error();
    return;
  }
  auto reserve = reserve_of(settings_, *space);
  if (space->free >= reserve)
    return;
  found_ =
    failure{errc::storage_full, "the disk has " + in_mebibytes(space->free)
                                  + " free, less than the reserve of " + in_mebibytes(reserve)};
  if (space->free < reserve / 2)
    upkeep_ = found_;
}

status space_guard::check_start(uint64_t wal_bytes) {
  auto space = measure_();
  if (!space)
    return space.error();
  // Not the whole reserve: a broker that runs below it must also be able to start below it.
  auto need = std::min(wal_bytes + wal_bytes / 2 + start_margin, reserve_of(settings_, *space));
  if (space->free >= need)
    return std::nullopt;
  return failure{errc::storage_full, "the disk of " + settings_.directory + " has "
                                       + in_mebibytes(space->free) + " free and a start needs "
                                       + in_mebibytes(need) + "; free some space and start again"};
}

space_guard::probe file_system_of(std::string directory) {
  return [directory = std::move(directory)]() -> result<disk_space> {
    struct statvfs x;
    if (::statvfs(directory.c_str(), &x) != 0)
      return file_failure("cannot measure the free space of", directory, errno);
    return disk_space{uint64_t{x.f_blocks} * x.f_frsize, uint64_t{x.f_bavail} * x.f_frsize};
  };
}

} // namespace tidings::storage
