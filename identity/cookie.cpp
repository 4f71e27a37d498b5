#include "identity/cookie.hpp"

#include <algorithm>

namespace tidings {

namespace {

std::string_view trim(std::string_view x) noexcept {
  constexpr std::string_view blanks = " \t";
  x.remove_prefix(std::min(x.find_first_not_of(blanks), x.size()));
  x.remove_suffix(x.size() - (x.find_last_not_of(blanks) + 1));
  return x;
}

} // namespace

result<std::optional<std::string_view>> find_cookie(std::string_view field, std::string_view name) {
  std::optional<std::string_view> found;
  for (size_t begin = 0; begin <= field.size();) {
    auto end = std::min(field.find(';', begin), field.size());
    auto pair = field.substr(begin, end - begin);
    begin = end + 1;
    auto equals = pair.find('=');
    if (equals == std::string_view::npos || trim(pair.substr(0, equals)) != name)
      continue;
    if (found)
      return failure{errc::unauthorized, "it came more than once"};
    found = trim(pair.substr(equals + 1));
  }
  return found && found->empty() ? std::optional<std::string_view>{} : found;
}

} // namespace tidings
