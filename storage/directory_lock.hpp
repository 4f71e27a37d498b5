#pragma once

#include "tidings/result.hpp"

#include <string>

namespace tidings::storage {

/// Keeps other processes, and other stores of this one, away from a directory while it lives. The
/// lock ends with the process, however that ends.
class directory_lock {
public:
  static result<directory_lock> take(const std::string& directory);

  directory_lock(directory_lock&& x) noexcept;
  directory_lock& operator=(directory_lock&& x) noexcept;
  ~directory_lock();

private:
  explicit directory_lock(int fd) noexcept : fd_(fd) {
    // nop
  }

  int fd_;
};

} // namespace tidings::storage
