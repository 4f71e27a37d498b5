#include "tidings/connection_name.hpp"

#include "tidings/text.hpp"

#include <charconv>

namespace tidings {

std::string connection_name::to_string() const {
  return member.empty() ? to_hex(id) : member + '.' + to_hex(id);
}

std::optional<connection_name> connection_name::parse(std::string_view text,
                                                      std::string_view self) {
  constexpr size_t digits = 16;
  if (text.size() < digits)
    return std::nullopt;
  connection_name x;
  auto number = text.substr(text.size() - digits);
  auto [end, ec] = std::from_chars(number.data(), number.data() + digits, x.id, 16);
  if (ec != std::errc{} || end != number.data() + digits)
    return std::nullopt;
  auto member = text.substr(0, text.size() - digits);
  if (member.empty()) {
    x.member = self;
    return x;
  }
  if (self.empty() || member.size() < 2 || !member.ends_with('.'))
    return std::nullopt;
  x.member = member.substr(0, member.size() - 1);
  return x;
}

} // namespace tidings
