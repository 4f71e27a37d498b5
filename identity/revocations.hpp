#pragma once

#include "tidings/caller.hpp"
#include "tidings/config.hpp"
#include "tidings/result.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// Tokens that are not accepted any more although their time has not come: all of one user that
/// were issued before a moment, or one by its `jti`.
struct revocation {
  std::string user;             ///< empty: one token
  std::string token_id;         ///< empty: all tokens of the user
  int64_t issued_before_ms = 0; ///< of a user's tokens
  int64_t dies_at_ms = 0;       ///< when no such token can be valid any more

  bool operator==(const revocation&) const = default;
};

/// Where revocations are kept: a topic of the broker's own.
inline constexpr std::string_view revocation_topic = "$revocations";

/// Checks the user or the token's id. Fails with errc::invalid_parameter.
status validate(const revocation& x);

/// One JSON object in one line, without the line end.
std::string to_json_line(const revocation& x);

/// Reads what `to_json_line` writes; fails with errc::invalid_json.
result<revocation> parse_revocation(std::string_view line);

/// What has been revoked. Bounded, thread-safe. Keeping it over a restart is up to the owner: see
/// `list`, `to_json_line` and `add`.
class revocations {
public:
  static constexpr size_t entries_max_default = 100'000;

  /// @param token_lifetime_max see set_lifetime
  explicit revocations(milliseconds token_lifetime_max, size_t entries_max = entries_max_default);

  /// How long a token may live that is revoked from now on: see token_life_max. What was revoked
  /// before keeps its end.
  void set_lifetime(milliseconds x) noexcept {
    lifetime_ms_ = x.count();
  }

  /// Revokes one token by its `jti`, or the tokens of a user that were issued before a moment,
  /// those too that do not say when. Fails with errc::invalid_parameter, and with errc::overloaded
  /// if there are too many: nothing that is revoked is forgotten to make room.
  /// @param x its `dies_at_ms` does not count
  /// @param past_ms see add
  /// @returns the entry, with `dies_at_ms`
  result<revocation> revoke(revocation x, int64_t now_ms, int64_t past_ms);

  /// Takes over an entry that was made before, or elsewhere. What is dead already is left out; of
  /// two entries for one user or token the stricter one stays. Fails like revoke.
  /// @param past_ms what has died by then is forgotten: a time that has passed for certain, for a
  ///   clock that is ahead for a while must not let anybody in again
  status add(revocation x, int64_t past_ms);

  /// Whether a token that was good has been revoked. Who came without a token is never revoked.
  bool is_revoked(const caller& x) const;

  /// What is revoked, by user and then by token, without what has died.
  std::vector<revocation> list(int64_t now_ms) const;

private:
  struct bound {
    int64_t issued_before_ms;
    int64_t dies_at_ms;
  };

  void forget_dead(int64_t past_ms); // mutex_ is held

  std::atomic<int64_t> lifetime_ms_;
  const size_t entries_max_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, bound, std::less<>> users_;
  std::map<std::string, bound, std::less<>> tokens_;
  std::atomic<size_t> count_{0}; // so that nothing is locked while nothing is revoked
};

} // namespace tidings
