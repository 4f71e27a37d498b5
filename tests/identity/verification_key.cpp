#define CAF_SUITE verification_key

#include "identity/verification_key.hpp"

#include "identity/private_key.hpp"
#include "support/test_keys.hpp"
#include "tidings/text.hpp"

#include <caf/test/dsl.hpp>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/x509.h>

namespace {

using namespace tidings;
using namespace std::literals;

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string load_problem(std::string_view content, token_algorithm algorithm) {
  auto keys = verification_key::parse(content, algorithm, "test", {});
  if (keys)
    return {};
  CAF_CHECK(keys.error().code == errc::invalid_configuration);
  return keys.error().detail;
}

/// Whether the first key of a file takes the signature of a token.
bool takes(std::string_view key_file, token_algorithm algorithm, const std::string& token) {
  auto keys = verification_key::parse(key_file, algorithm, "test", {});
  CAF_REQUIRE(keys);
  auto dot = token.rfind('.');
  auto signature = from_base64url(std::string_view{token}.substr(dot + 1));
  CAF_REQUIRE(signature);
  return keys->front().verify(std::string_view{token}.substr(0, dot), *signature);
}

/// The token with one bit of its signature turned.
std::string damaged(std::string token) {
  auto dot = token.rfind('.');
  token[dot + 1] = token[dot + 1] == 'A' ? 'B' : 'A';
  return token;
}

EVP_PKEY* make(const char* type) {
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context{
    EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), &EVP_PKEY_CTX_free};
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_keygen_init(context.get()) == 1)
    EVP_PKEY_generate(context.get(), &key);
  return key;
}

EVP_PKEY* make_ec(const char* curve) {
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve);
}

EVP_PKEY* make_rsa(size_t bits) {
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits);
}

/// A number of a public key as a JWK has it.
std::string member(const std::string& public_pem, const char* name) {
  std::unique_ptr<BIO, decltype(&BIO_free)> in{
    BIO_new_mem_buf(public_pem.data(), static_cast<int>(public_pem.size())), &BIO_free};
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
    PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
  BIGNUM* number = nullptr;
  CAF_REQUIRE(EVP_PKEY_get_bn_param(key.get(), name, &number) == 1);
  std::string bytes(static_cast<size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  if (name == "qx"s || name == "qy"s)
    bytes.insert(0, 32 - bytes.size(), '\0');
  std::string out;
  append_base64url(out, bytes);
  return out;
}

// -- vectors of the RFCs -------------------------------------------------------------------------

constexpr auto rfc7515_claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                                "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

CAF_TEST(HS256 of RFC 7515 appendix A 1) {
  auto key =
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iP)"
    R"(S4hcgUuTwjAzZr1Z9CAow"})";
  auto token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."s + rfc7515_claims
               + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  CAF_CHECK(takes(key, token_algorithm::hs256, token));
  CAF_CHECK(!takes(key, token_algorithm::hs256, damaged(token)));
}

CAF_TEST(RS256 of RFC 7515 appendix A 2) {
  auto key =
    R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-V)"
    R"(aw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9)"
    R"(wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV)"
    R"(MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs9)"
    R"(1kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})";
  auto token =
    "eyJhbGciOiJSUzI1NiJ9."s + rfc7515_claims
    + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5"
      "YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6x"
      "BArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6B"
      "fI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_Ioy"
      "pGlUPQGe77Rw";
  CAF_CHECK(takes(key, token_algorithm::rs256, token));
  CAF_CHECK(!takes(key, token_algorithm::rs256, damaged(token)));
}

CAF_TEST(ES256 of RFC 7515 appendix A 3) {
  auto key = R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
             R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
  auto token =
    "eyJhbGciOiJFUzI1NiJ9."s + rfc7515_claims
    + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6"
      "NU1Q";
  CAF_CHECK(takes(key, token_algorithm::es256, token));
  CAF_CHECK(!takes(key, token_algorithm::es256, damaged(token)));
}

CAF_TEST(EdDSA of RFC 8037 appendix A 4) {
  auto key = R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
  auto token =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
    "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"s;
  CAF_CHECK(takes(key, token_algorithm::eddsa, token));
  CAF_CHECK(!takes(key, token_algorithm::eddsa, damaged(token)));
}

// -- signatures ----------------------------------------------------------------------------------

CAF_TEST(every algorithm takes its own signatures and no others) {
  for (auto algorithm : all_token_algorithms) {
    auto& key = shared_test_key(algorithm);
    auto signature = private_key::parse(key.secret_part, algorithm)->sign("text");
    CAF_REQUIRE(signature);
    auto verifier = key.verifier();
    CAF_CHECK(verifier.verify("text", *signature));
    CAF_CHECK(!verifier.verify("texu", *signature));
    CAF_CHECK(!verifier.verify("", *signature));
    CAF_CHECK(!verifier.verify("text", ""));
    CAF_CHECK(!verifier.verify("text", *signature + '\0'));
    CAF_CHECK(!verifier.verify("text", signature->substr(1)));
    CAF_CHECK(!verifier.verify("text", signature->substr(0, signature->size() - 1)));
    for (size_t i = 0; i < signature->size(); ++i) {
      auto bad = *signature;
      bad[i] = static_cast<char>(bad[i] ^ 1);
      CAF_CHECK(!verifier.verify("text", bad));
    }
    CAF_CHECK(!make_test_key(algorithm).verifier().verify("text", *signature));
  }
}

CAF_TEST(an ES256 signature is two numbers below the order of the curve) {
  auto& key = shared_test_key(token_algorithm::es256);
  auto verifier = key.verifier();
  auto zero = std::string(32, '\0');
  auto one = zero;
  one.back() = 1;
  auto order = *from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  auto most = std::string(32, '\xff');
  auto signature = *private_key::parse(key.secret_part, key.algorithm)->sign("text");
  auto r = signature.substr(0, 32);
  auto s = signature.substr(32);
  for (auto& bad : {zero + zero, zero + one, one + zero, one + one, r + zero, zero + s, r + order,
                    order + s, order + order, r + most, most + s, s + r})
    CAF_CHECK(!verifier.verify("text", bad));
  CAF_CHECK(verifier.verify("text", r + s));
  // The form of everybody else, which has no place in a token.
  auto number = [](const std::string& x) {
    auto y = x;
    y.erase(0, y.find_first_not_of('\0'));
    if ((y[0] & 0x80) != 0)
      y.insert(0, 1, '\0');
    return "\x02"s + static_cast<char>(y.size()) + y;
  };
  auto both = number(r) + number(s);
  CAF_CHECK(!verifier.verify("text", "\x30"s + static_cast<char>(both.size()) + both));
}

CAF_TEST(an EdDSA signature has one spelling) {
  auto& key = shared_test_key(token_algorithm::eddsa);
  auto signature = *private_key::parse(key.secret_part, key.algorithm)->sign("text");
  // The second half is a number below the order of the group; the same number plus the order would
  // satisfy the equation too.
  auto order = *from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  auto other = signature;
  unsigned carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    carry += static_cast<uint8_t>(other[32 + i]) + static_cast<uint8_t>(order[i]);
    other[32 + i] = static_cast<char>(carry);
    carry >>= 8;
  }
  CAF_CHECK(key.verifier().verify("text", signature));
  CAF_CHECK(!key.verifier().verify("text", other));
  CAF_CHECK(!key.verifier().verify("text", std::string(64, '\0')));
}

// -- what may be a key ---------------------------------------------------------------------------

CAF_TEST(keys of the wrong kind are refused) {
  using enum token_algorithm;
  auto pem = [](EVP_PKEY* key) { return make_test_key(rs256, key).public_part; };
  auto rsa = shared_test_key(rs256).public_part;
  auto p256 = shared_test_key(es256).public_part;
  auto ed25519 = shared_test_key(eddsa).public_part;
  CAF_CHECK(
    contains(load_problem(p256, rs256), "is a key of the type EC, and RS256 needs an RSA key"));
  CAF_CHECK(contains(load_problem(ed25519, rs256), "needs an RSA key"));
  CAF_CHECK(contains(load_problem(pem(make("RSA-PSS")), rs256), "needs an RSA key"));
  CAF_CHECK(contains(load_problem(rsa, es256), "needs an EC key"));
  CAF_CHECK(contains(load_problem(pem(make_ec("P-384")), es256), "another curve"));
  CAF_CHECK(contains(load_problem(pem(make_ec("secp256k1")), es256), "another curve"));
  CAF_CHECK(contains(load_problem(rsa, eddsa), "needs an Ed25519 key"));
  CAF_CHECK(contains(load_problem(p256, eddsa), "needs an Ed25519 key"));
  CAF_CHECK(contains(load_problem(pem(make("ED448")), eddsa), "needs an Ed25519 key"));
  CAF_CHECK(contains(load_problem(pem(make("X25519")), eddsa), "needs an Ed25519 key"));
}

CAF_TEST(weak keys are refused) {
  using enum token_algorithm;
  for (size_t bits : {512u, 1024u, 2047u}) {
    auto key = make_test_key(rs256, make_rsa(bits));
    CAF_CHECK(contains(load_problem(key.public_part, rs256), "needs at least 2048"));
    CAF_CHECK(!private_key::parse(key.secret_part, rs256));
  }
  CAF_CHECK(contains(load_problem(std::string(31, 'x'), hs256), "needs at least 32"));
  CAF_CHECK(contains(load_problem(std::string(31, 'x') + "\n", hs256), "only 31 bytes"));
  CAF_CHECK(contains(load_problem("", hs256), "only 0 bytes"));
  CAF_CHECK(contains(load_problem("base64:" + to_base64(std::string(31, 'x')), hs256), "only 31"));
  CAF_CHECK(contains(load_problem(R"({"kty":"oct","k":"AAAA"})", hs256), "only 3 bytes"));
  CAF_CHECK_EQUAL(load_problem(std::string(32, 'x'), hs256), "");
  CAF_CHECK_EQUAL(load_problem(std::string(32, 'x') + "\r\n", hs256), "");
}

CAF_TEST(numbers that make a key worthless are refused) {
  using enum token_algorithm;
  auto n = member(shared_test_key(rs256).public_part, "n");
  auto jwk = [&](const std::string& exponent) {
    return R"({"kty":"RSA","n":")" + n + R"(","e":")" + exponent + "\"}";
  };
  CAF_CHECK_EQUAL(load_problem(jwk("AQAB"), rs256), "");
  for (auto bad : {"AQ", "Ag", "AA", "", "AQAA"}) // 1, 2, 0, nothing, even
    CAF_CHECK_NOT_EQUAL(load_problem(jwk(bad), rs256), "");
  auto x = member(shared_test_key(es256).public_part, "qx");
  auto y = member(shared_test_key(es256).public_part, "qy");
  auto point = [](const std::string& x, const std::string& y) {
    return R"({"kty":"EC","crv":"P-256","x":")" + x + R"(","y":")" + y + "\"}";
  };
  CAF_CHECK_EQUAL(load_problem(point(x, y), es256), "");
  CAF_CHECK(contains(load_problem(point(x, x), es256), "numbers are missing or wrong"));
  CAF_CHECK_NOT_EQUAL(load_problem(point(x, ""), es256), "");
  CAF_CHECK_NOT_EQUAL(load_problem(point(x, y + "AA"), es256), "");
  CAF_CHECK_NOT_EQUAL(load_problem(point(x, y + "="), es256), "");
}

CAF_TEST(what is public is no secret) {
  using enum token_algorithm;
  for (auto algorithm : {rs256, es256, eddsa}) {
    auto& key = shared_test_key(algorithm);
    CAF_CHECK(contains(load_problem(key.public_part, hs256), "is a PEM file"));
    CAF_CHECK(contains(load_problem("  \n" + key.secret_part, hs256), "is a PEM file"));
  }
  auto jwk = R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
  CAF_CHECK(contains(load_problem(jwk, hs256), "holds no key to check HS256"));
}

CAF_TEST(private keys stay where they are) {
  using enum token_algorithm;
  for (auto algorithm : {rs256, es256, eddsa}) {
    auto& key = shared_test_key(algorithm);
    CAF_CHECK(contains(load_problem(key.secret_part, algorithm), "holds a private key"));
    CAF_CHECK(!private_key::parse(key.public_part, algorithm));
  }
  auto jwk = R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",)"
             R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
  CAF_CHECK(contains(load_problem(jwk, eddsa), "holds a private key"));
}

CAF_TEST(a file that is no key is refused) {
  using enum token_algorithm;
  for (auto algorithm : {rs256, es256, eddsa})
    for (auto bad : {"", "hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                     "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"})
      CAF_CHECK(contains(load_problem(bad, algorithm), "is neither a PEM public key"));
  for (auto bad : {R"({"kty":"OKP")", R"({"kty":"OKP","kty":"OKP"})", R"({"keys":1})",
                   R"({"keys":[]})", R"({"keys":[1]})", R"({"kty":7})"})
    CAF_CHECK_NOT_EQUAL(load_problem(bad, eddsa), "");
}

CAF_TEST(an encrypted private key is refused without asking) {
  auto& key = shared_test_key(token_algorithm::eddsa);
  std::unique_ptr<BIO, decltype(&BIO_free)> in{
    BIO_new_mem_buf(key.secret_part.data(), static_cast<int>(key.secret_part.size())), &BIO_free};
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> whole{
    PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
  std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), &BIO_free};
  char passphrase[] = "passphrase";
  PEM_write_bio_PKCS8PrivateKey(out.get(), whole.get(), EVP_aes_128_cbc(), passphrase,
                                sizeof passphrase - 1, nullptr, nullptr);
  char* bytes = nullptr;
  auto length = BIO_get_mem_data(out.get(), &bytes);
  auto x = private_key::parse({bytes, static_cast<size_t>(length)}, key.algorithm);
  CAF_REQUIRE(!x);
  CAF_CHECK(contains(x.error().detail, "without a passphrase"));
}

CAF_TEST(a secret may be encoded) {
  auto secret = std::string(40, '\x01') + "\xff\n";
  auto encoded = "base64:" + to_base64(secret) + '\n';
  auto signature = *private_key::parse(encoded, token_algorithm::hs256)->sign("text");
  for (auto& content : {encoded, secret + '\n'}) {
    auto keys = verification_key::parse(content, token_algorithm::hs256, "test", {});
    CAF_REQUIRE(keys);
    CAF_CHECK(keys->front().verify("text", signature));
  }
  CAF_CHECK(contains(load_problem("base64:***", token_algorithm::hs256), "base64"));
  // A random secret may look like anything at its begin.
  CAF_CHECK_EQUAL(load_problem('{' + secret, token_algorithm::hs256), "");
}

CAF_TEST(a certificate holds a public key) {
  auto& key = shared_test_key(token_algorithm::es256);
  std::unique_ptr<BIO, decltype(&BIO_free)> in{
    BIO_new_mem_buf(key.secret_part.data(), static_cast<int>(key.secret_part.size())), &BIO_free};
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> whole{
    PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> certificate{X509_new(), &X509_free};
  X509_set_pubkey(certificate.get(), whole.get());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 60);
  X509_sign(certificate.get(), whole.get(), EVP_sha256());
  std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), &BIO_free};
  PEM_write_bio_X509(out.get(), certificate.get());
  char* bytes = nullptr;
  auto length = BIO_get_mem_data(out.get(), &bytes);
  auto token = key.token(header_for(key.algorithm), "{}");
  CAF_CHECK(takes({bytes, static_cast<size_t>(length)}, key.algorithm, token));
}

// -- sets of keys --------------------------------------------------------------------------------

CAF_TEST(a set gives the keys that are for the algorithm) {
  using enum token_algorithm;
  auto ed = R"("kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")"s;
  auto rsa =
    R"("kty":"RSA","e":"AQAB","n":")" + member(shared_test_key(rs256).public_part, "n") + '"';
  auto set = R"({"keys":[{"kid":"a",)" + ed + R"(},{"kid":"b",)" + rsa
             + R"(,"use":"enc"},{"kid":"c",)" + rsa + R"(,"use":"sig","alg":"RS256"},{"kid":"d",)"
             + rsa + R"(,"alg":"RS512"},{"kid":"e",)" + rsa + R"(,"key_ops":["encrypt"]},{)" + ed
             + R"(,"key_ops":["verify"]},{"kty":"of the future"}]})";
  auto ids = [&](token_algorithm algorithm) {
    auto keys = verification_key::parse(set, algorithm, "unnamed", "issuer");
    std::string all;
    if (keys)
      for (auto& x : *keys) {
        all += x.id() + ' ';
        CAF_CHECK_EQUAL(x.issuer(), "issuer");
        CAF_CHECK(x.algorithm() == algorithm);
      }
    return all;
  };
  CAF_CHECK_EQUAL(ids(eddsa), "a unnamed ");
  CAF_CHECK_EQUAL(ids(rs256), "c ");
  CAF_CHECK_EQUAL(ids(es256), "");
  CAF_CHECK_EQUAL(load_problem(set, es256), "holds no key to check ES256 signatures with");
  CAF_CHECK(contains(
    load_problem(R"({"keys":[{)" + ed + R"(},{"kty":"OKP","crv":"Ed25519","x":"AA"}]})", eddsa),
    "numbers are missing or wrong"));
}

CAF_TEST(keys that differ have different marks) {
  auto& key = shared_test_key(token_algorithm::eddsa);
  auto mark = key.verifier("a", "x").mark();
  CAF_CHECK_EQUAL(mark, key.verifier("b", "x").mark());
  CAF_CHECK_NOT_EQUAL(mark, key.verifier("a", "y").mark());
  CAF_CHECK_NOT_EQUAL(mark, make_test_key(token_algorithm::eddsa).verifier("a", "x").mark());
}

} // namespace
