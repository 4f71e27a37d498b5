#include "storage/evidence.hpp"

#include "storage/files.hpp"

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace tidings::storage {

namespace fs = std::filesystem;

namespace {

bool is_wal(std::string_view name) {
  return name.size() > 4 && name.substr(name.size() - 4) == ".log";
}

bool is_evidence(std::string_view name) {
  return is_wal(name) || name == "CURRENT" || name.substr(0, 9) == "MANIFEST-";
}

fs::path aside(const std::string& directory) {
  return fs::path{directory} / "aside";
}

} // namespace

status put_aside(const std::string& directory) {
  std::error_code error;
  auto to = aside(directory);
  if (fs::exists(to, error))
    return std::nullopt;
  std::vector<fs::path> files;
  for (fs::directory_iterator i{directory, error}, end; !error && i != end; i.increment(error))
    if (is_evidence(i->path().filename().string()))
      files.push_back(i->path());
  if (error)
    return file_failure("cannot list", directory, error.value());
  if (files.empty())
    return std::nullopt;
  // Filled under another name first: a half-filled folder must not count.
  auto filling = to;
  filling += ".new";
  fs::remove_all(filling, error);
  if (!fs::create_directory(filling, error))
    return file_failure("cannot create", filling.string(), error.value());
  for (auto& file : files) {
    auto name = filling / file.filename();
    if (::link(file.c_str(), name.c_str()) == 0)
      continue;
    fs::copy_file(file, name, error); // for file systems without hard links
    if (error)
      return file_failure("cannot copy to", name.string(), error.value());
  }
  fs::rename(filling, to, error);
  if (error)
    return file_failure("cannot create", to.string(), error.value());
  return std::nullopt;
}

void remove_aside(const std::string& directory) {
  std::error_code ignored;
  fs::remove_all(aside(directory), ignored);
}

status keep_aside(const std::string& directory, const std::string& name) {
  std::error_code error;
  if (!fs::exists(aside(directory), error))
    return std::nullopt;
  auto to = fs::path{directory} / name;
  fs::rename(aside(directory), to, error);
  if (error)
    return file_failure("cannot create", to.string(), error.value());
  return std::nullopt;
}

uint64_t wal_bytes(const std::string& directory) {
  uint64_t sum = 0;
  std::error_code error;
  for (fs::directory_iterator i{directory, error}, end; !error && i != end; i.increment(error)) {
    if (!is_wal(i->path().filename().string()))
      continue;
    auto size = i->file_size(error);
    if (!error)
      sum += size;
  }
  return sum;
}

} // namespace tidings::storage
