#include "identity/api_keys.hpp"

#include "identity/openssl.hpp"
#include "tidings/text.hpp"

#include <algorithm>

namespace tidings {

namespace {

std::string_view text_of(const openssl::sha256_digest& x) noexcept {
  return {reinterpret_cast<const char*>(x.data()), x.size()};
}

/// Changes when the key or what it may do does.
uint64_t basis_of(const auth_api_key& x, const caller& who) {
  return openssl::mark_of(x.name + '\n' + x.sha256 + '\n' + who.publish.key() + "\n\n"
                          + who.subscribe.key() + (who.admin ? "\nadmin" : ""));
}

} // namespace

std::string api_key_hash(std::string_view key) {
  return to_hex(text_of(openssl::sha256(key)));
}

result<api_keys> api_keys::make(const std::vector<auth_api_key>& keys) {
  api_keys made;
  for (auto& x : keys) {
    auto refuse = [&x](const std::string& why) {
      return failure{errc::invalid_configuration,
                     "[[auth.api-key]] \"" + for_log(x.name) + "\": " + why};
    };
    auto hash = from_hex(x.sha256);
    auto publish = topic_rights::parse(x.publish);
    auto subscribe = topic_rights::parse(x.subscribe);
    entry to{};
    if (!hash || hash->size() != to.hash.size())
      return refuse("sha256 must be 64 hexadecimal digits");
    if (!publish)
      return refuse(publish.error().detail);
    if (!subscribe)
      return refuse(subscribe.error().detail);
    std::copy(hash->begin(), hash->end(), to.hash.begin());
    to.who.how = caller::way::api_key;
    to.who.publish = *std::move(publish);
    to.who.subscribe = *std::move(subscribe);
    to.who.admin = x.admin;
    to.who.key_name = x.name;
    to.who.basis = basis_of(x, to.who);
    made.entries_.push_back(std::move(to));
  }
  return made;
}

result<caller> api_keys::identify(std::string_view key) const {
  if (entries_.empty())
    return failure{errc::unauthorized, "no API key is configured"};
  if (key.empty() || key.size() > api_key_bytes_max)
    return failure{errc::unauthorized, "it does not have 1 to 512 bytes"};
  auto hash = openssl::sha256(key);
  const entry* found = nullptr;
  for (auto& x : entries_) // all of them, so that the time does not tell which
    if (openssl::equal_in_constant_time(text_of(x.hash), text_of(hash)))
      found = &x;
  if (found == nullptr)
    return failure{errc::unauthorized, "it is none of those that are configured"};
  return found->who;
}

std::vector<uint64_t> api_keys::bases() const {
  std::vector<uint64_t> all;
  for (auto& x : entries_)
    all.push_back(x.who.basis);
  return all;
}

} // namespace tidings
