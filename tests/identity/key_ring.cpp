#define CAF_SUITE key_ring

#include "identity/key_ring.hpp"

#include "support/scratch_file.hpp"
#include "support/test_keys.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings;
using namespace std::literals;

/// The ids of the keys that may have signed such a token, in order.
std::string candidates(const key_ring& ring, token_algorithm algorithm,
                       std::optional<std::string> key_id = std::nullopt) {
  json_web_token token;
  token.algorithm = algorithm;
  token.key_id = std::move(key_id);
  std::string all;
  for (auto* key : ring.candidates(token))
    all += key->id() + ' ';
  return all;
}

CAF_TEST(a kid names keys and an algorithm bounds them) {
  using enum token_algorithm;
  auto& ed = shared_test_key(eddsa);
  auto& hs = shared_test_key(hs256);
  key_ring ring{{ed.verifier("a"), hs.verifier("b"), ed.verifier("c"), hs.verifier("c")}};
  CAF_CHECK_EQUAL(candidates(ring, eddsa, "a"), "a ");
  CAF_CHECK_EQUAL(candidates(ring, eddsa, "c"), "c ");
  CAF_CHECK_EQUAL(candidates(ring, hs256, "c"), "c ");
  CAF_CHECK_EQUAL(candidates(ring, hs256, "a"), ""); // never another algorithm than the key's own
  CAF_CHECK_EQUAL(candidates(ring, rs256, "a"), "");
  CAF_CHECK_EQUAL(candidates(ring, eddsa), "a c ");
  CAF_CHECK_EQUAL(candidates(ring, rs256), "");
}

CAF_TEST(a kid is looked up and nothing else is done with it) {
  using enum token_algorithm;
  key_ring ring{{shared_test_key(eddsa).verifier("a")}};
  for (auto& kid : {""s, "../../../../dev/null"s, "/etc/passwd"s, "' OR '1'='1"s, "a\0b"s, "\0"s,
                    "http://127.0.0.1:1/"s, "A"s, "a "s, "%61"s, std::string(1024 * 1024, 'k')}) {
    CAF_CHECK_EQUAL(candidates(ring, eddsa, kid), "");
    CAF_CHECK_EQUAL(candidates(ring, hs256, kid), "");
  }
}

CAF_TEST(reads keys from files and from the configuration) {
  using enum token_algorithm;
  scratch_file pem{shared_test_key(eddsa).public_part, ".pem"};
  auto ring = key_ring::load({{"a", eddsa, pem.path(), "", "issuer"},
                              {"b", hs256, "", shared_test_key(hs256).secret_part, ""}});
  CAF_REQUIRE(ring);
  CAF_REQUIRE_EQUAL(ring->keys().size(), 2u);
  CAF_CHECK_EQUAL(ring->keys()[0].issuer(), "issuer");
  CAF_CHECK(!ring->empty());
  CAF_CHECK(key_ring::load({})->empty());
}

CAF_TEST(problems name the key and its file and never its content) {
  using enum token_algorithm;
  scratch_file weak{"too short", ".secret"};
  auto ring = key_ring::load({{"a", eddsa, "/no/such/file.pem", "", ""},
                              {"b", hs256, weak.path(), "", ""},
                              {"c", hs256, "", "far too short", ""}});
  CAF_REQUIRE(!ring);
  CAF_CHECK(ring.error().code == errc::invalid_configuration);
  CAF_CHECK_EQUAL(
    ring.error().detail,
    "[[auth.key]] \"a\": /no/such/file.pem cannot be read: No such file or directory\n"
    "[[auth.key]] \"b\": "
      + weak.path()
      + " has only 9 bytes, and a secret of HS256 needs at least 32\n"
        "[[auth.key]] \"c\": its secret has only 13 bytes, and a secret of HS256 "
        "needs at least 32");
}

} // namespace
