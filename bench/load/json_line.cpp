#include "json_line.hpp"

#include <cmath>
#include <cstdio>

namespace bench {

json_line& json_line::raw(std::string_view key, std::string_view value) {
  if (!body_.empty())
    body_ += ',';
  body_ += '"';
  body_ += key;
  body_ += "\":";
  body_ += value;
  return *this;
}

json_line& json_line::add(std::string_view key, std::string_view text) {
  std::string quoted = "\"";
  quoted += text;
  quoted += '"';
  return raw(key, quoted);
}

json_line& json_line::add(std::string_view key, double number) {
  if (!std::isfinite(number))
    return raw(key, "null");
  char digits[40];
  std::snprintf(digits, sizeof(digits), "%.6g", number);
  return raw(key, digits);
}

json_line& json_line::add(std::string_view key, const json_line& object) {
  return raw(key, object.str());
}

} // namespace bench
