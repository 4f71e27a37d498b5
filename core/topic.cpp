#include "tidings/topic.hpp"

#include "tidings/text.hpp"

#include <algorithm>

namespace tidings {

namespace {

bool is_separator(char c) noexcept {
  return c == ':' || c == '/' || c == '.';
}

/// Whether every `*` is a segment of its own, and `**` the last one.
bool has_sound_wildcards(std::string_view x) noexcept {
  for (auto i = x.find('*'); i != std::string_view::npos; i = x.find('*', i)) {
    if (i != 0 && !is_separator(x[i - 1]))
      return false;
    auto end = std::min(x.find_first_not_of('*', i), x.size());
    auto last = end == x.size();
    if (end - i > 2 || (end - i == 2 && !last) || (!last && !is_separator(x[end])))
      return false;
    i = end;
  }
  return true;
}

/// Whether a piece between slashes is one that clients and proxies resolve away.
bool has_dot_piece(std::string_view x) noexcept {
  for (;;) {
    auto piece = x.substr(0, x.find('/'));
    if (piece == "." || piece == "..")
      return true;
    if (piece.size() == x.size())
      return false;
    x.remove_prefix(piece.size() + 1);
  }
}

failure invalid(const char* why) {
  return {errc::invalid_topic, why};
}

/// What topics and patterns have in common.
status validate(std::string_view x) {
  if (x.empty())
    return invalid("A topic must not be empty.");
  if (x.size() > topic_bytes_max)
    return invalid("A topic must not be longer than 256 bytes.");
  if (!is_utf8(x))
    return invalid("A topic must be UTF-8.");
  if (!is_single_line(x))
    return invalid("A topic must not hold control characters or line breaks.");
  if (x.front() == ' ' || x.back() == ' ')
    return invalid("A topic must not begin or end with a space.");
  if (x.find_first_of("?#,") != std::string_view::npos)
    return invalid("A topic must not hold `?`, `#` or `,`.");
  if (has_dot_piece(x))
    return invalid("A topic must not hold `.` or `..` as a whole piece between slashes.");
  return std::nullopt;
}

} // namespace

status validate_topic(std::string_view name) {
  if (auto why = validate(name))
    return why;
  if (name.find('*') != std::string_view::npos)
    return invalid("A topic to publish to must not hold `*`.");
  if (is_reserved_topic(name))
    return invalid("Topics that begin with `$` are the broker's own.");
  return std::nullopt;
}

// -- topic_pattern
// ---------------------------------------------------------------------------------

topic_pattern::topic_pattern(std::string text) : text_(std::move(text)) {
  exact_ = text_.find('*') == std::string::npos;
  universal_ = text_ == "*" || text_ == "**";
}

result<topic_pattern> topic_pattern::parse(std::string_view text) {
  if (auto why = validate(text))
    return *why;
  if (!has_sound_wildcards(text))
    return invalid("A pattern takes `*` in place of one whole segment and `**` only at its end.");
  return topic_pattern{std::string{text}};
}

bool topic_pattern::matches(std::string_view topic) const noexcept {
  if (exact_)
    return topic == text_;
  if (is_reserved_topic(topic))
    return false;
  if (universal_)
    return true;
  auto pos = topic.begin();
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '*') {
      if (i + 1 < text_.size() && text_[i + 1] == '*')
        return pos != topic.end();
      auto begin = pos;
      pos = std::find_if(begin, topic.end(), is_separator);
      if (pos == begin)
        return false;
    } else if (pos == topic.end() || *pos++ != text_[i]) {
      return false;
    }
  }
  return pos == topic.end();
}

} // namespace tidings
