#pragma once

#include <string>

namespace tidings::http {

/// Under what a client's address is counted: an IPv4 address itself, of IPv6 the network of 64
/// bits, within which anybody has as many addresses as they like (RFC 4291, 2.5.4). An IPv4 address
/// that is mapped into IPv6 is that IPv4 address. What is neither is returned as it is.
std::string network_of(const std::string& address);

} // namespace tidings::http
