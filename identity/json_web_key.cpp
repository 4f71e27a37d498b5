#include "identity/json_web_key.hpp"

#include "identity/strict_json.hpp"
#include "identity/verification_key.hpp"
#include "tidings/text.hpp"

#include <algorithm>

namespace tidings {

namespace {

using nlohmann::json;
using namespace openssl;

constexpr size_t keys_max = 100;
constexpr size_t coordinate_bytes = 32; // of P-256 and of Ed25519

failure refuse(std::string why) {
  return {errc::invalid_configuration, std::move(why)};
}

/// The text of a member; empty if there is none.
std::string text_of(const json& x, const char* name) {
  auto i = x.find(name);
  return i != x.end() && i->is_string() ? i->get<std::string>() : std::string{};
}

/// The decoded bytes of a member; empty if they are not there or not strict base64url.
std::string bytes_of_member(const json& x, const char* name) {
  return from_base64url(text_of(x, name)).value_or(std::string{});
}

/// What an algorithm's keys look like.
struct shape {
  const char* type;
  const char* curve; // nullptr: has none
};

shape shape_of(token_algorithm x) {
  switch (x) {
    case token_algorithm::hs256:
      return {"oct", nullptr};
    case token_algorithm::rs256:
      return {"RSA", nullptr};
    case token_algorithm::es256:
      return {"EC", "P-256"};
    case token_algorithm::eddsa:
      return {"OKP", "Ed25519"};
  }
  return {"", nullptr};
}

/// Whether a key says that it may check signatures of the algorithm.
bool is_for(const json& x, token_algorithm algorithm) {
  auto shape = shape_of(algorithm);
  if (text_of(x, "kty") != shape.type)
    return false;
  if (shape.curve != nullptr && text_of(x, "crv") != shape.curve)
    return false;
  if (x.contains("alg") && text_of(x, "alg") != to_string(algorithm))
    return false;
  if (x.contains("use") && text_of(x, "use") != "sig")
    return false;
  auto uses = x.find("key_ops");
  return uses == x.end()
         || (uses->is_array() && std::find(uses->begin(), uses->end(), "verify") != uses->end());
}

pkey make_key(const char* type, OSSL_PARAM_BLD* from) {
  params values{OSSL_PARAM_BLD_to_param(from)};
  pkey_context context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* key = nullptr;
  if (!values || !context || EVP_PKEY_fromdata_init(context.get()) != 1
      || EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, values.get()) != 1)
    return nullptr;
  return pkey{key};
}

pkey make_rsa(const json& x) {
  auto n = bytes_of_member(x, "n");
  auto e = bytes_of_member(x, "e");
  if (n.empty() || e.empty())
    return nullptr;
  number modulus{BN_bin2bn(bytes_of(std::string_view{n}), static_cast<int>(n.size()), nullptr)};
  number exponent{BN_bin2bn(bytes_of(std::string_view{e}), static_cast<int>(e.size()), nullptr)};
  param_builder values{OSSL_PARAM_BLD_new()};
  if (!modulus || !exponent || !values
      || OSSL_PARAM_BLD_push_BN(values.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1
      || OSSL_PARAM_BLD_push_BN(values.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
    return nullptr;
  return make_key("RSA", values.get());
}

pkey make_p256(const json& x) {
  auto point = bytes_of_member(x, "x");
  auto y = bytes_of_member(x, "y");
  if (point.size() != coordinate_bytes || y.size() != coordinate_bytes)
    return nullptr;
  point = '\x04' + point + y; // uncompressed
  param_builder values{OSSL_PARAM_BLD_new()};
  if (!values
      || OSSL_PARAM_BLD_push_utf8_string(values.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                         SN_X9_62_prime256v1, 0)
           != 1
      || OSSL_PARAM_BLD_push_octet_string(values.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                          point.size())
           != 1)
    return nullptr;
  return make_key("EC", values.get());
}

pkey make_ed25519(const json& x) {
  auto bytes = bytes_of_member(x, "x");
  if (bytes.size() != coordinate_bytes)
    return nullptr;
  return pkey{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                          bytes_of(std::string_view{bytes}), bytes.size())};
}

result<json_web_key> make(const json& x, token_algorithm algorithm) {
  json_web_key made;
  made.id = text_of(x, "kid");
  if (algorithm == token_algorithm::hs256) {
    made.secret = bytes_of_member(x, "k");
    if (made.secret.size() < secret_bytes_min)
      return refuse("holds a secret of only " + std::to_string(made.secret.size())
                    + " bytes, and HS256 needs at least " + std::to_string(secret_bytes_min));
    return made;
  }
  if (x.contains("d"))
    return refuse("holds a private key: the broker needs only the public one");
  made.key = algorithm == token_algorithm::rs256   ? make_rsa(x)
             : algorithm == token_algorithm::es256 ? make_p256(x)
                                                   : make_ed25519(x);
  ERR_clear_error();
  if (!made.key)
    return refuse("holds a key whose numbers are missing or wrong");
  if (auto why = check_key(*made.key, algorithm))
    return *why;
  return made;
}

} // namespace

bool is_json_web_keys(std::string_view content) noexcept {
  // A random secret may begin with a brace; it does not go on like this.
  auto begin = content.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && content[begin] == '{'
         && (content.find("\"kty\"") != std::string_view::npos
             || content.find("\"keys\"") != std::string_view::npos);
}

result<std::vector<json_web_key>> parse_json_web_keys(std::string_view content,
                                                      token_algorithm algorithm) {
  auto root = parse_strict_object(content, errc::invalid_configuration, "looks like a JWK but");
  if (!root)
    return root.error();
  auto all = json::array({*root});
  if (root->contains("keys"))
    all = (*root)["keys"];
  if (!all.is_array() || all.size() > keys_max)
    return refuse("is not a set of at most " + std::to_string(keys_max) + " keys");
  std::vector<json_web_key> keys;
  for (auto& x : all) {
    if (!x.is_object() || !is_for(x, algorithm))
      continue;
    auto key = make(x, algorithm);
    if (!key)
      return key.error();
    keys.push_back(*std::move(key));
  }
  if (keys.empty())
    return refuse(std::string{"holds no key to check "} + to_string(algorithm)
                  + " signatures with");
  return keys;
}

} // namespace tidings
