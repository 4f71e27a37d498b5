#pragma once

#include "payload.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace bench {

/// Reads Server-Sent Events as a browser does, as far as somebody needs who comes back: the last
/// id, the marks in the data, and whether a gap was told of.
class event_lines {
public:
  /// Calls `on_mark(payload_mark)` for each whole event with a mark in its data.
  template <class Function>
  void feed(std::string_view bytes, Function&& on_mark) {
    while (!bytes.empty()) {
      auto end = bytes.find('\n');
      if (end == std::string_view::npos) {
        partial_ += bytes;
        return;
      }
      auto line = bytes.substr(0, end);
      if (!partial_.empty()) {
        partial_ += line;
        line = partial_;
      }
      if (take(line))
        on_mark(mark_);
      partial_.clear();
      bytes.remove_prefix(end + 1);
    }
  }

  /// Of the last whole event; empty: none yet.
  const std::string& last_id() const {
    return last_id_;
  }

  uint32_t gaps() const {
    return gaps_;
  }

  /// The connection is lost: an event cut short counts for nothing.
  void cut() {
    partial_.clear();
    forget_event();
  }

private:
  // Whether an event with a mark ended here.
  bool take(std::string_view line) {
    if (!line.empty() && line.back() == '\r')
      line.remove_suffix(1);
    if (line.empty()) {
      const auto whole = has_mark_;
      if (has_id_)
        last_id_.swap(id_);
      gaps_ += is_gap_ ? 1 : 0;
      forget_event();
      return whole;
    }
    if (line.starts_with("id: ")) {
      id_ = line.substr(4);
      has_id_ = true;
    } else if (line == "event: tidings.gap") {
      is_gap_ = true;
    } else if (line.starts_with("data: ") && line.size() > 6 + mark_digits
               && line[6] == mark_byte) {
      has_mark_ = read_mark(line.data() + 7, mark_);
    }
    return false;
  }

  void forget_event() {
    has_id_ = has_mark_ = is_gap_ = false;
  }

  std::string partial_; // of a line
  std::string id_;
  std::string last_id_;
  payload_mark mark_;
  uint32_t gaps_ = 0;
  bool has_id_ = false;
  bool has_mark_ = false;
  bool is_gap_ = false;
};

} // namespace bench
