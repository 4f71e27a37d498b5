#include "storage/files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace tidings::storage {

namespace {

constexpr size_t small_file_bytes_max = 64 * 1024;

class descriptor {
public:
  descriptor(const std::string& path, int flags)
    : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0640)) {
    // nop
  }

  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  explicit operator bool() const noexcept {
    return fd_ >= 0;
  }

  int get() const noexcept {
    return fd_;
  }

private:
  int fd_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

} // namespace

failure file_failure(std::string_view what, const std::string& path, int error) {
  std::string detail{what};
  detail += ' ';
  detail += path;
  detail += ": ";
  detail += std::generic_category().message(error);
  return {error == ENOSPC || error == EDQUOT ? errc::storage_full : errc::storage_unavailable,
          std::move(detail)};
}

result<std::optional<std::string>> read_small_file(const std::string& path) {
  descriptor file{path, O_RDONLY};
  if (!file) {
    if (errno == ENOENT)
      return std::optional<std::string>{};
    return file_failure("cannot open", path, errno);
  }
  std::string content(small_file_bytes_max + 1, '\0');
  size_t size = 0;
  while (size < content.size()) {
    auto n = ::read(file.get(), content.data() + size, content.size() - size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return file_failure("cannot read", path, errno);
    if (n == 0)
      break;
    size += static_cast<size_t>(n);
  }
  if (size > small_file_bytes_max)
    return failure{errc::storage_corrupt, path + " is too long to be one of our files"};
  content.resize(size);
  return std::optional<std::string>{std::move(content)};
}

status replace_file(const std::string& path, std::string_view content) {
  auto temporary = path + ".new";
  {
    descriptor file{temporary, O_WRONLY | O_CREAT | O_TRUNC};
    if (!file)
      return file_failure("cannot create", temporary, errno);
    if (!write_all(file.get(), content))
      return file_failure("cannot write", temporary, errno);
    if (::fsync(file.get()) != 0)
      return file_failure("cannot sync", temporary, errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return file_failure("cannot replace", path, errno);
  return sync_directory(std::filesystem::path{path}.parent_path().string());
}

status sync_directory(const std::string& path) {
  descriptor directory{path.empty() ? "." : path, O_RDONLY | O_DIRECTORY};
  if (!directory)
    return file_failure("cannot open", path, errno);
  if (::fsync(directory.get()) != 0)
    return file_failure("cannot sync", path, errno);
  return std::nullopt;
}

} // namespace tidings::storage
