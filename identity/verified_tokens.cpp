#include "identity/verified_tokens.hpp"

#include "identity/openssl.hpp"

#include <cstring>

namespace tidings {

size_t verified_tokens::hash::operator()(const digest& x) const noexcept {
  size_t value = 0;
  std::memcpy(&value, x.data() + 1, sizeof value); // the first byte chose the part
  return value;
}

verified_tokens::verified_tokens(size_t entries_max)
  : entries_max_((entries_max + part_count - 1) / part_count) {
  // nop
}

verified_tokens::digest verified_tokens::digest_of(std::string_view token) {
  return openssl::sha256(token);
}

verified_token_ptr verified_tokens::find(const digest& key, int64_t now_ms) {
  auto& in = part_of(key);
  std::lock_guard guard{in.mutex};
  auto i = in.index.find(key);
  if (i == in.index.end())
    return nullptr;
  if (now_ms >= i->second->value->who.expires_at_ms) {
    in.entries.erase(i->second);
    in.index.erase(i);
    return nullptr;
  }
  in.entries.splice(in.entries.begin(), in.entries, i->second);
  return i->second->value;
}

void verified_tokens::insert(const digest& key, verified_token_ptr value) {
  auto& in = part_of(key);
  std::lock_guard guard{in.mutex};
  if (entries_max_ == 0 || in.index.count(key) != 0) // another thread was faster
    return;
  if (in.entries.size() >= entries_max_) {
    in.index.erase(in.entries.back().key);
    in.entries.pop_back();
  }
  in.entries.push_front({key, std::move(value)});
  in.index.emplace(key, in.entries.begin());
}

size_t verified_tokens::size() const {
  size_t sum = 0;
  for (auto& x : parts_) {
    std::lock_guard guard{x.mutex};
    sum += x.entries.size();
  }
  return sum;
}

verified_tokens::part& verified_tokens::part_of(const digest& key) noexcept {
  return parts_[key[0] % part_count];
}

} // namespace tidings
