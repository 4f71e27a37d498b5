#include "tidings/listen_address.hpp"

#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <arpa/inet.h>
#include <limits>
#include <netinet/in.h>

namespace tidings {

namespace {

failure refuse(std::string_view text, std::string_view why) {
  return {errc::invalid_configuration, '"' + for_log(text) + "\" " + std::string{why}};
}

bool read_v4(const std::string& host, bool& loopback) {
  in_addr bits{};
  if (inet_pton(AF_INET, host.c_str(), &bits) != 1)
    return false;
  loopback = ntohl(bits.s_addr) >> 24 == IN_LOOPBACKNET;
  return true;
}

bool read_v6(const std::string& host, bool& loopback) {
  in6_addr bits{};
  if (inet_pton(AF_INET6, host.c_str(), &bits) != 1)
    return false;
  loopback = IN6_IS_ADDR_LOOPBACK(&bits);
  return true;
}

} // namespace

result<listen_address> listen_address::parse(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == 0)
    return refuse(text, "has no host: write 127.0.0.1 before the colon for this machine only, or "
                        "0.0.0.0 for every IPv4 address");
  if (colon == std::string_view::npos)
    return refuse(text, "is not HOST:PORT, for instance 127.0.0.1:7300");
  auto host = std::string{text.substr(0, colon)};
  auto bracketed = host.front() == '[' && host.back() == ']';
  if (host.find(':') != std::string::npos && !bracketed)
    return refuse(text, "needs brackets around its IPv6 address, for instance [::1]:7300");
  auto port = parse_unsigned(text.substr(colon + 1));
  if (!port || *port > std::numeric_limits<uint16_t>::max())
    return refuse(text, "must end in a port from 0 to 65535");
  listen_address x;
  x.port = static_cast<uint16_t>(*port);
  x.host = bracketed ? host.substr(1, host.size() - 2) : host == "localhost" ? "127.0.0.1" : host;
  // A NUL byte would end the text early for the C functions.
  auto valid = x.host.find('\0') == std::string::npos
               && (bracketed ? read_v6(x.host, x.loopback) : read_v4(x.host, x.loopback));
  if (!valid)
    return refuse(text, "must name an IP address or localhost, for instance 127.0.0.1:7300, "
                        "0.0.0.0:7300 or [::]:7300; other names are not looked up");
  return x;
}

} // namespace tidings
