#include "storage/directory_lock.hpp"

#include "storage/files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace tidings::storage {

result<directory_lock> directory_lock::take(const std::string& directory) {
  auto path = directory + "/tidings.lock";
  auto fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0)
    return file_failure("cannot open", path, errno);
  directory_lock lock{fd};
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0)
    return result<directory_lock>{std::move(lock)};
  if (errno != EWOULDBLOCK)
    return file_failure("cannot lock", path, errno);
  return failure{errc::storage_unavailable, "the data directory " + directory
                                              + " is in use by another process; two brokers cannot "
                                                "share one"};
}

directory_lock::directory_lock(directory_lock&& x) noexcept : fd_(std::exchange(x.fd_, -1)) {
  // nop
}

directory_lock& directory_lock::operator=(directory_lock&& x) noexcept {
  std::swap(fd_, x.fd_);
  return *this;
}

directory_lock::~directory_lock() {
  if (fd_ >= 0)
    ::close(fd_);
}

} // namespace tidings::storage
