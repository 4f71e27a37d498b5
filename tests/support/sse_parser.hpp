#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidings {

/// An event stream as a browser understands it: WHATWG HTML 9.2.6, written from the text of the
/// standard and not from our encoder. Takes bytes in pieces of any size.
class sse_parser {
public:
  struct event {
    std::string id; ///< the last event id when the event was fired
    std::string type;
    std::string data;

    bool operator==(const event&) const = default;
  };

  /// Fired and not taken yet.
  std::vector<event> events;

  /// The text behind each colon: scripts do not see these.
  std::vector<std::string> comments;

  /// What a reconnect would send as `Last-Event-ID`.
  std::string last_event_id;

  std::optional<uint64_t> retry_ms;

  void push(std::string_view bytes) {
    for (auto c : bytes) {
      auto ends_pair = c == '\n' && after_cr_;
      after_cr_ = c == '\r';
      if (ends_pair)
        continue;
      if (c == '\r' || c == '\n')
        end_line();
      else
        line_ += c;
    }
  }

  std::vector<event> take() {
    return std::exchange(events, {});
  }

  /// Whether the stream stands between two blocks: if it ended now nothing would be discarded.
  bool idle() const noexcept {
    return line_.empty() && !block_open_;
  }

private:
  void end_line() {
    auto line = std::exchange(line_, {});
    if (std::exchange(first_line_, false) && line.starts_with("\xef\xbb\xbf"))
      line.erase(0, 3);
    if (line.empty()) {
      dispatch();
      return;
    }
    block_open_ = true;
    auto colon = line.find(':');
    if (colon == 0) {
      comments.push_back(line.substr(1));
      return;
    }
    auto value = colon == std::string::npos ? std::string{} : line.substr(colon + 1);
    if (value.starts_with(' '))
      value.erase(0, 1);
    field(line.substr(0, colon), value);
  }

  void field(const std::string& name, const std::string& value) {
    if (name == "event") {
      type_ = value;
    } else if (name == "data") {
      data_ += value;
      data_ += '\n';
    } else if (name == "id") {
      if (value.find('\0') == std::string::npos)
        id_ = value;
    } else if (name == "retry") {
      auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
      if (!value.empty() && std::all_of(value.begin(), value.end(), is_digit))
        retry_ms = std::stoull(value);
    }
  }

  void dispatch() {
    block_open_ = false;
    last_event_id = id_;
    auto type = std::exchange(type_, {});
    auto data = std::exchange(data_, {});
    if (data.empty())
      return;
    data.pop_back();
    events.push_back({last_event_id, type.empty() ? "message" : type, data});
  }

  std::string line_;
  std::string id_;
  std::string type_;
  std::string data_;
  bool first_line_ = true;
  bool after_cr_ = false;
  bool block_open_ = false;
};

} // namespace tidings
