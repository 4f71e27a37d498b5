#include "tidings/address_block.hpp"

#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <string>

namespace tidings {

namespace {

constexpr size_t text_bytes_max = INET6_ADDRSTRLEN; // with the zero that the C functions want
constexpr std::array<uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr uint32_t v4_prefix_bits = 96;
constexpr uint32_t address_bits = 128;

failure refuse(std::string_view text, std::string_view why) {
  return {errc::invalid_configuration, '"' + for_log(text) + "\" " + std::string{why}};
}

bool bit(const ip_address& x, uint32_t i) noexcept {
  return (x.bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

} // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) noexcept {
  text = text.substr(0, text.find('%'));
  if (text.size() >= text_bytes_max || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  char buffer[text_bytes_max]{};
  std::copy(text.begin(), text.end(), buffer);
  ip_address x;
  if (inet_pton(AF_INET6, buffer, x.bytes.data()) == 1)
    return x;
  std::copy(v4_prefix.begin(), v4_prefix.end(), x.bytes.begin());
  if (inet_pton(AF_INET, buffer, x.bytes.data() + v4_prefix.size()) == 1)
    return x;
  return std::nullopt;
}

bool ip_address::is_v4() const noexcept {
  return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes.begin());
}

result<address_block> address_block::parse(std::string_view text) {
  auto slash = text.find('/');
  auto name = text.substr(0, slash);
  auto address = ip_address::parse(name);
  if (!address || name.find('%') != std::string_view::npos)
    return refuse(text, "is no IP address and no block of them, such as 10.0.0.7, 10.0.0.0/24 or "
                        "2001:db8::/32; names are not looked up");
  address_block x;
  x.first_ = *address;
  x.bits_ = address_bits;
  if (slash == std::string_view::npos)
    return x;
  // Written as IPv6, a prefix counts from the begin of the mapped address.
  auto offset = name.find(':') == std::string_view::npos ? v4_prefix_bits : 0;
  auto bits = parse_unsigned(text.substr(slash + 1));
  if (!bits || *bits > address_bits - offset)
    return refuse(text, "must end in the length of its prefix, from 1 to "
                          + std::to_string(address_bits - offset));
  if (*bits == 0)
    return refuse(text, "is every address: name those that are meant");
  x.bits_ = static_cast<uint32_t>(*bits) + offset;
  for (auto i = x.bits_; i < address_bits; ++i)
    if (bit(*address, i))
      return refuse(text, "has bits behind its prefix: a block begins with its first address");
  return x;
}

bool address_block::contains(const ip_address& x) const noexcept {
  if (x.is_v4() && bits_ < v4_prefix_bits) // where IPv4 is mapped to is not what `::/16` means
    return false;
  auto whole = bits_ / 8;
  if (!std::equal(first_.bytes.begin(), first_.bytes.begin() + whole, x.bytes.begin()))
    return false;
  for (auto i = whole * 8; i < bits_; ++i)
    if (bit(first_, i) != bit(x, i))
      return false;
  return true;
}

} // namespace tidings
