#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

namespace tidings {

/// A file with the given content that goes away with the object.
class scratch_file {
public:
  explicit scratch_file(std::string_view content, std::string_view suffix = ".toml") {
    static int number = 0;
    auto name = "tidings-" + std::to_string(::getpid()) + '-' + std::to_string(++number);
    path_ = (std::filesystem::temp_directory_path() / name).string().append(suffix);
    std::ofstream{path_, std::ios::binary} << content;
  }

  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;

  ~scratch_file() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  const std::string& path() const noexcept {
    return path_;
  }

private:
  std::string path_;
};

} // namespace tidings
