#include "tidings/config.hpp"
#include "tidings/units.hpp"

#include <algorithm>

namespace tidings {

namespace {

bool is_member_name(std::string_view x) {
  constexpr size_t bytes_max = 63; // it may be a DNS name
  auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !x.empty() && x.size() <= bytes_max && std::all_of(x.begin(), x.end(), is_good);
}

} // namespace

std::optional<cluster_member> parse_member(std::string_view text) {
  auto equals = text.find('=');
  if (equals == std::string_view::npos || !is_member_name(text.substr(0, equals)))
    return std::nullopt;
  auto address = text.substr(equals + 1);
  auto colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return std::nullopt;
  auto port = parse_unsigned(address.substr(colon + 1));
  if (!port || *port == 0 || *port > 65'535)
    return std::nullopt;
  return cluster_member{std::string{text.substr(0, equals)}, std::string{address}};
}

durability level_of_topics(const config& x) noexcept {
  return x.topics.level.value_or(x.cluster.enabled() ? durability::quorum : durability::fsync);
}

durability least_level_of_topics(const config& x) noexcept {
  return x.topics.level.value_or(durability::fsync);
}

} // namespace tidings
