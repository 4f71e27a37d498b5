#include "response_reader.hpp"

#include <cstdlib>
#include <strings.h>

namespace bench {

namespace {

constexpr size_t line_bytes_max = size_t{16} * 1024;

// Without the white space around it; empty if there is none.
std::string_view field(std::string_view head, std::string_view name) {
  for (size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
    at += 2;
    auto line = head.substr(at, head.find("\r\n", at) - at);
    if (line.size() > name.size() && line[name.size()] == ':'
        && strncasecmp(line.data(), name.data(), name.size()) == 0) {
      auto value = line.substr(name.size() + 1);
      value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
      return value;
    }
  }
  return {};
}

} // namespace

size_t response_reader::read_head(std::string_view bytes) {
  auto before = line_.size();
  line_ += bytes;
  auto end = line_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    if (line_.size() > line_bytes_max)
      phase_ = phase::broken;
    return bytes.size();
  }
  line_.resize(end + 4);
  auto taken = line_.size() - before;
  if (!line_.starts_with("HTTP/1.")) {
    phase_ = phase::broken;
    return taken;
  }
  status_ = std::atoi(line_.c_str() + 9);
  if (status_ >= 200)
    begin_body();
  line_.clear();
  return taken;
}

void response_reader::begin_body() {
  phase_ = phase::body;
  if (auto length = field(line_, "Content-Length"); !length.empty()) {
    framing_ = framing::length;
    left_ = std::strtoull(std::string{length}.c_str(), nullptr, 10);
  } else if (auto coding = field(line_, "Transfer-Encoding");
             coding.size() == 7 && strncasecmp(coding.data(), "chunked", 7) == 0) {
    framing_ = framing::chunked;
  } else {
    framing_ = framing::until_close;
  }
  if (status_ == 204 || status_ == 304 || (framing_ == framing::length && left_ == 0))
    phase_ = phase::done;
}

// Takes one line between chunks: the empty one behind a chunk, a size, or a trailer.
size_t response_reader::read_chunk_line(std::string_view bytes) {
  auto end = bytes.find('\n');
  if (end == std::string_view::npos) {
    line_ += bytes;
    if (line_.size() > line_bytes_max)
      phase_ = phase::broken;
    return bytes.size();
  }
  line_ += bytes.substr(0, end);
  while (!line_.empty() && line_.back() == '\r')
    line_.pop_back();
  if (last_chunk_) {
    if (line_.empty())
      phase_ = phase::done;
  } else if (!line_.empty()) {
    char* stop = nullptr;
    left_ = std::strtoull(line_.c_str(), &stop, 16);
    if (stop == line_.c_str())
      phase_ = phase::broken;
    last_chunk_ = left_ == 0;
  }
  line_.clear();
  return end + 1;
}

} // namespace bench
