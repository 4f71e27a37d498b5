#include "http/network.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <iterator>
#include <netinet/in.h>

namespace tidings::http {

std::string network_of(const std::string& address) {
  in6_addr x{};
  if (inet_pton(AF_INET6, address.c_str(), &x) != 1)
    return address;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (IN6_IS_ADDR_V4MAPPED(&x)) {
    inet_ntop(AF_INET, &x.s6_addr[12], text.data(), text.size());
    return text.data();
  }
  std::fill(std::begin(x.s6_addr) + 8, std::end(x.s6_addr), uint8_t{0});
  inet_ntop(AF_INET6, &x, text.data(), text.size());
  return std::string{text.data()} + "/64";
}

} // namespace tidings::http
