#include "tidings/sse.hpp"

#include <algorithm>
#include <charconv>

namespace tidings::sse {

namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += value;
  out += '\n';
}

/// One data field per line.
void append_data(std::string& out, std::string_view data) {
  // Each kind of line end is looked for again only when the one found last has been passed.
  size_t pos = 0;
  auto cr = data.find('\r');
  auto lf = data.find('\n');
  for (;;) {
    auto eol = std::min(cr, lf);
    append_field(out, "data: ", data.substr(pos, eol - pos));
    if (eol == std::string_view::npos)
      return;
    pos = eol + 1;
    if (eol == cr) {
      if (lf == pos)
        ++pos;
      cr = data.find('\r', pos);
    }
    if (lf < pos)
      lf = data.find('\n', pos);
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
