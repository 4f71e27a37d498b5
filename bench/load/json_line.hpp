#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

/// One flat or nested JSON object, written as it is filled. Texts must need no escapes.
class json_line {
public:
  json_line& add(std::string_view key, std::string_view text);
  json_line& add(std::string_view key, double number);
  json_line& add(std::string_view key, const json_line& object);

  json_line& add(std::string_view key, const char* text) {
    return add(key, std::string_view{text});
  }

  template <std::same_as<bool> Bool>
  json_line& add(std::string_view key, Bool value) {
    return raw(key, value ? "true" : "false");
  }

  template <std::integral Int>
  requires(!std::same_as<Int, bool>) json_line& add(std::string_view key, Int number) {
    return raw(key, std::to_string(number));
  }

  std::string str() const {
    return '{' + body_ + '}';
  }

private:
  json_line& raw(std::string_view key, std::string_view value);

  std::string body_;
};

} // namespace bench
