#include "tidings/sse.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace tidings::sse {

namespace {

const char* find(const char* begin, const char* end, char what) noexcept {
  auto found = std::memchr(begin, what, static_cast<size_t>(end - begin));
  return found ? static_cast<const char*>(found) : end;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += value;
  out += '\n';
}

/// One data field per line.
void append_data(std::string& out, std::string_view data) {
  auto pos = data.data();
  auto end = pos + data.size();
  // Each kind of line end is looked for once more only when the last one found has been passed.
  auto cr = find(pos, end, '\r');
  auto lf = find(pos, end, '\n');
  for (;;) {
    auto eol = std::min(cr, lf);
    append_field(out, "data: ", {pos, static_cast<size_t>(eol - pos)});
    if (eol == end)
      return;
    pos = eol + 1;
    if (eol == cr) {
      if (lf == pos)
        ++pos;
      cr = find(pos, end, '\r');
    }
    if (lf < pos)
      lf = find(pos, end, '\n');
  }
}

} // namespace

void append_event(std::string& out, std::string_view id, std::string_view type,
                  std::string_view data) {
  if (!id.empty())
    append_field(out, "id: ", id);
  if (!type.empty())
    append_field(out, "event: ", type);
  append_data(out, data);
  out += '\n';
}

void append_position(std::string& out, std::string_view id) {
  if (id.empty())
    return;
  append_field(out, "id: ", id);
  out += '\n';
}

void append_retry(std::string& out, std::chrono::milliseconds delay) {
  char digits[20];
  auto end = std::to_chars(digits, digits + sizeof digits, delay.count()).ptr;
  append_field(out, "retry: ", {digits, static_cast<size_t>(end - digits)});
  out += '\n';
}

void append_comment(std::string& out, std::string_view text) {
  out += text.empty() ? ":" : ": ";
  auto begin = out.size();
  out += text;
  std::replace_if(
    out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
    [](char c) { return c == '\r' || c == '\n'; }, ' ');
  out += "\n\n";
}

} // namespace tidings::sse
