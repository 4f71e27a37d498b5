#pragma once

#include "tidings/caller.hpp"

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace tidings {

/// A token whose signature is good. Its times are checked again with each use.
struct verified_token {
  caller who;           ///< without the way it came
  int64_t until_ms = 0; ///< `exp`, without leeway
  std::optional<int64_t> not_before_ms;
  std::optional<int64_t> issued_at_ms;
};

using verified_token_ptr = std::shared_ptr<const verified_token>;

/// The good tokens that were seen last, by their SHA-256, so that a token that comes with each
/// request costs one signature check. Bounded, thread-safe. Bad tokens are not remembered: they
/// would push out the good ones.
class verified_tokens {
public:
  using digest = std::array<uint8_t, 32>;

  explicit verified_tokens(size_t entries_max);

  /// What the cache knows tokens by.
  static digest digest_of(std::string_view token);

  /// nullptr if the token is not known, or has expired, which forgets it.
  verified_token_ptr find(const digest& key, int64_t now_ms);

  /// Forgets the tokens that were not used for the longest time if there are too many.
  void insert(const digest& key, verified_token_ptr value);

  /// How many there are.
  size_t size() const;

private:
  struct entry {
    digest key;
    verified_token_ptr value;
  };

  struct hash {
    size_t operator()(const digest& x) const noexcept;
  };

  static constexpr size_t part_count = 8;

  // Several parts, so that I/O threads seldom wait for each other.
  struct part {
    mutable std::mutex mutex;
    std::list<entry> entries; // the one used last comes first
    std::unordered_map<digest, std::list<entry>::iterator, hash> index;
  };

  part& part_of(const digest& key) noexcept;

  size_t entries_max_; // per part
  std::array<part, part_count> parts_;
};

} // namespace tidings
