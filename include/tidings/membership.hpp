#pragma once

#include "tidings/config.hpp"
#include "tidings/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// More members cost more than they give: each keeps everything.
inline constexpr size_t members_max = 7;

/// The list of members that counts on a node. It begins as the one that is configured; each change
/// by command makes the next version, and nodes that meet take the higher one.
struct membership {
  uint64_t version = 0; ///< 0: as it is configured
  std::vector<cluster_member> members;

  const cluster_member* find(std::string_view name) const noexcept;

  bool operator==(const membership&) const = default;
};

/// As configured. Members that cannot be read are left out; see the check of the configuration.
membership configured_membership(const cluster_config& x);

/// `NAME=HOST:PORT` of each, as the configuration writes them.
std::vector<std::string> to_texts(const membership& x);

/// Whether a node that has `y` goes on with `x`: it is newer, or was forced at the same time on two
/// sides of a split; then all nodes choose the same of the two.
bool supersedes(const membership& x, const membership& y);

/// The next version, with one more member. Fails with errc::invalid_parameter if its name or its
/// address is taken, or if there are as many members as there may be.
result<membership> with_member(const membership& x, cluster_member added);

/// The next version, without one member. Fails with errc::not_found if it is none, and with
/// errc::invalid_parameter if it is the last.
result<membership> without_member(const membership& x, std::string_view name);

/// One line of JSON, for the disk and for other nodes.
std::string to_text(const membership& x);

/// nullopt: not such a text, or of a list that nobody could use.
std::optional<membership> parse_membership(std::string_view text);

} // namespace tidings
