#include "storage/field_text.hpp"

#include <xxhash.h>

#include <charconv>

namespace tidings::storage {

namespace {

constexpr std::string_view check_name = "check ";

std::string check_line(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  std::string line{check_name};
  auto sum = XXH3_64bits(text.data(), text.size());
  for (int shift = 60; shift >= 0; shift -= 4)
    line.push_back(digits[(sum >> shift) & 15]);
  line.push_back('\n');
  return line;
}

} // namespace

field_writer::field_writer(std::string_view title) : text_(title) {
  text_.push_back('\n');
}

void field_writer::add(std::string_view name, std::string_view value) {
  text_.append(name);
  text_.push_back(' ');
  text_.append(value);
  text_.push_back('\n');
}

void field_writer::add(std::string_view name, uint64_t value) {
  add(name, std::to_string(value));
}

std::string field_writer::finish() && {
  text_ += check_line(text_);
  return std::move(text_);
}

field_reader::field_reader(std::string_view title, std::string_view text) {
  auto at = text.rfind(check_name);
  ok_ = at != std::string_view::npos && text.substr(at) == check_line(text.substr(0, at));
  if (!ok_)
    return;
  rest_ = text.substr(0, at);
  ok_ = rest_.substr(0, title.size()) == title && rest_.substr(title.size(), 1) == "\n";
  if (ok_)
    rest_.remove_prefix(title.size() + 1);
}

std::string_view field_reader::text(std::string_view name) {
  auto end = rest_.find('\n');
  auto blank = rest_.find(' ');
  if (!ok_ || end == std::string_view::npos || blank > end || rest_.substr(0, blank) != name) {
    ok_ = false;
    return {};
  }
  auto value = rest_.substr(blank + 1, end - blank - 1);
  rest_.remove_prefix(end + 1);
  return value;
}

uint64_t field_reader::number(std::string_view name) {
  auto digits = text(name);
  uint64_t x = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), x);
  if (error != std::errc{} || end != digits.data() + digits.size())
    ok_ = false;
  return x;
}

} // namespace tidings::storage
