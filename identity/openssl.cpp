#include "identity/openssl.hpp"

#include "identity/verification_key.hpp"
#include "tidings/text.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cstring>

namespace tidings::openssl {

namespace {

failure refuse(std::string why) {
  return {errc::invalid_configuration, std::move(why)};
}

std::string type_of(const EVP_PKEY& key) {
  auto name = EVP_PKEY_get0_type_name(&key);
  return name == nullptr ? "an unknown type" : "the type " + std::string{name};
}

bool is_p256(const EVP_PKEY& key) {
  std::array<char, 64> group{};
  size_t length = 0;
  return EVP_PKEY_get_group_name(&key, group.data(), group.size(), &length) == 1
         && std::string_view{group.data(), length} == SN_X9_62_prime256v1;
}

} // namespace

sha256_digest sha256(std::string_view text) {
  sha256_digest x{};
  SHA256(bytes_of(text), text.size(), x.data());
  return x;
}

sha256_digest hmac_sha256(std::string_view key, std::string_view text) {
  sha256_digest x{};
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
       x.data(), nullptr);
  return x;
}

uint64_t mark_of(std::string_view text) {
  auto digest = sha256(text);
  uint64_t x = 0;
  std::memcpy(&x, digest.data(), sizeof x);
  return x;
}

bool equal_in_constant_time(std::string_view x, std::string_view y) noexcept {
  return x.size() == y.size() && CRYPTO_memcmp(x.data(), y.data(), x.size()) == 0;
}

bio reader_of(std::string_view content) {
  return bio{BIO_new_mem_buf(content.data(), static_cast<int>(content.size()))};
}

int no_passphrase(char*, int, int, void*) noexcept {
  return -1;
}

status check_key(const EVP_PKEY& key, token_algorithm algorithm) {
  std::string name = to_string(algorithm);
  switch (algorithm) {
    case token_algorithm::hs256:
      return refuse("is a key of " + type_of(key) + ", and HS256 has a secret");
    case token_algorithm::rs256:
      if (EVP_PKEY_get_base_id(&key) != EVP_PKEY_RSA)
        return refuse("is a key of " + type_of(key) + ", and RS256 needs an RSA key");
      if (auto bits = EVP_PKEY_get_bits(&key); bits < rsa_bits_min)
        return refuse("is an RSA key of " + std::to_string(bits)
                      + " bits, and RS256 needs at least " + std::to_string(rsa_bits_min));
      break;
    case token_algorithm::es256:
      if (EVP_PKEY_get_base_id(&key) != EVP_PKEY_EC)
        return refuse("is a key of " + type_of(key)
                      + ", and ES256 needs an EC key on the curve P-256");
      if (!is_p256(key))
        return refuse("is an EC key on another curve than P-256, which ES256 needs");
      break;
    case token_algorithm::eddsa:
      if (EVP_PKEY_get_base_id(&key) != EVP_PKEY_ED25519)
        return refuse("is a key of " + type_of(key) + ", and EdDSA needs an Ed25519 key");
      return std::nullopt; // has no parameters that could be wrong
  }
  // Catches an RSA exponent of 1, small factors, and points that are not on the curve. The call
  // wants a key that may be changed, and does not change it.
  pkey_context context{EVP_PKEY_CTX_new(const_cast<EVP_PKEY*>(&key), nullptr)};
  auto sound = context && EVP_PKEY_public_check(context.get()) == 1;
  ERR_clear_error();
  return sound ? status{} : refuse("is not a sound key for " + name);
}

result<std::string> parse_secret(std::string_view content) {
  if (content.ends_with('\n'))
    content.remove_suffix(1);
  if (content.ends_with('\r'))
    content.remove_suffix(1);
  constexpr std::string_view prefix = "base64:";
  std::string secret{content};
  if (content.starts_with(prefix)) {
    auto decoded = from_base64(content.substr(prefix.size()));
    if (!decoded)
      return refuse("is not padded base64 behind base64:");
    secret = *std::move(decoded);
  } else if (content.find("-----BEGIN ") != std::string_view::npos) {
    // The attack of RFC 8725, section 2.1: what is public must never become a secret.
    return refuse("is a PEM file, and HS256 has a secret that nobody else knows");
  }
  if (secret.size() < secret_bytes_min)
    return refuse("has only " + std::to_string(secret.size())
                  + " bytes, and a secret of HS256 needs at least "
                  + std::to_string(secret_bytes_min));
  return secret;
}

} // namespace tidings::openssl
