#include "tidings/text_file.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace tidings {

namespace {

constexpr size_t bytes_max = 1024 * 1024;

failure unreadable(std::string why) {
  return {errc::invalid_configuration, "cannot be read: " + std::move(why)};
}

failure unreadable(int error) {
  return unreadable(std::generic_category().message(error));
}

} // namespace

result<std::string> read_text_file(const std::string& path) {
  auto close = [](std::FILE* x) { std::fclose(x); };
  std::unique_ptr<std::FILE, decltype(close)> file{std::fopen(path.c_str(), "rb"), close};
  if (!file)
    return unreadable(errno);
  std::string content;
  char piece[4096];
  size_t read = 0;
  while (content.size() <= bytes_max && (read = std::fread(piece, 1, sizeof piece, file.get())) > 0)
    content.append(piece, read);
  if (std::ferror(file.get()))
    return unreadable(errno);
  if (content.size() > bytes_max)
    return unreadable("it is larger than 1MiB");
  return content;
}

} // namespace tidings
