#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

/// Reads HTTP/1.1 responses piece by piece and hands their bodies on without copying, chunked or
/// not.
class response_reader {
public:
  enum class phase : uint8_t { head, body, done, broken };

  phase where() const {
    return phase_;
  }

  int status() const {
    return status_;
  }

  /// Reads up to the end of one response and calls `on_body(std::string_view)` for what of the body
  /// is in `bytes`. How many bytes it took.
  template <class Function>
  size_t feed(std::string_view bytes, Function&& on_body) {
    size_t taken = 0;
    while (taken < bytes.size() && phase_ != phase::done && phase_ != phase::broken) {
      auto rest = bytes.substr(taken);
      if (phase_ == phase::head) {
        taken += read_head(rest);
      } else if (framing_ == framing::until_close) {
        on_body(rest);
        taken += rest.size();
      } else if (left_ != 0) {
        auto piece = rest.substr(0, std::min<uint64_t>(rest.size(), left_));
        on_body(piece);
        taken += piece.size();
        left_ -= piece.size();
        if (left_ == 0 && framing_ == framing::length)
          phase_ = phase::done;
      } else {
        taken += read_chunk_line(rest);
      }
    }
    return taken;
  }

  /// Makes ready for the next response on a kept connection.
  void next() {
    *this = response_reader{};
  }

private:
  enum class framing : uint8_t { length, chunked, until_close };

  size_t read_head(std::string_view bytes);
  size_t read_chunk_line(std::string_view bytes);
  void begin_body();

  std::string line_; // the head, later the line of a chunk, as far as it came
  uint64_t left_ = 0;
  int status_ = 0;
  phase phase_ = phase::head;
  framing framing_ = framing::until_close;
  bool last_chunk_ = false;
};

} // namespace bench
