#define CAF_SUITE api_keys

#include "identity/api_keys.hpp"

#include <caf/test/dsl.hpp>

#include <fstream>
#include <sstream>

namespace {

using namespace tidings;
using namespace std::literals;

std::string source(const std::string& name) {
  std::ostringstream out;
  out << std::ifstream{TIDINGS_SOURCE_DIR "/identity/" + name}.rdbuf();
  return out.str();
}

api_keys make(std::vector<auth_api_key> keys) {
  auto x = api_keys::make(keys);
  CAF_REQUIRE(x);
  return *x;
}

CAF_TEST(a hash is what every tool prints) {
  CAF_CHECK_EQUAL(api_key_hash("abc"),
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

CAF_TEST(a key says whose it is and what it may do) {
  auto keys = make({{"shop", api_key_hash("key of the shop"), {"order:*"}, {}, false},
                    {"ops", api_key_hash("key of the ops"), {}, {"**"}, true}});
  auto shop = keys.identify("key of the shop");
  CAF_REQUIRE(shop);
  CAF_CHECK(shop->how == caller::way::api_key);
  CAF_CHECK_EQUAL(shop->key_name, "shop");
  CAF_CHECK(shop->user.empty());
  CAF_CHECK(shop->publish.permits("order:1"));
  CAF_CHECK(!shop->publish.permits("news"));
  CAF_CHECK(!shop->subscribe.permits("order:1"));
  CAF_CHECK(!shop->subscribe.permits("everyone"));
  CAF_CHECK(!shop->admin);
  CAF_CHECK_EQUAL(shop->expires_at_ms, 0);
  auto ops = keys.identify("key of the ops");
  CAF_REQUIRE(ops);
  CAF_CHECK(ops->subscribe.is_all());
  CAF_CHECK(ops->admin);
}

CAF_TEST(everything else is refused) {
  auto hash = api_key_hash("key of the shop");
  auto keys = make({{"shop", hash, {}, {}, false}});
  for (auto& bad :
       {""s, "key of the sho"s, "key of the shop "s, "key of the shop\0"s, "Key of the shop"s, hash,
        std::string(513, 'k'), std::string(1024 * 1024, 'k')}) {
    auto x = keys.identify(bad);
    CAF_REQUIRE(!x);
    CAF_CHECK(x.error().code == errc::unauthorized);
    CAF_CHECK(bad.empty() || x.error().detail.find(bad) == std::string::npos);
  }
  CAF_CHECK(!make({}).identify("key of the shop"));
  CAF_CHECK(make({}).empty());
}

CAF_TEST(hashes may be in capitals) {
  auto hash = api_key_hash("k");
  for (auto& c : hash)
    c = static_cast<char>(std::toupper(c));
  CAF_CHECK(make({{"shop", hash, {}, {}, false}}).identify("k"));
}

CAF_TEST(bad entries are refused at the start) {
  for (auto& bad : std::vector<auth_api_key>{{"a", "abc", {}, {}, false},
                                             {"a", std::string(64, 'x'), {}, {}, false},
                                             {"a", api_key_hash("k"), {"a**"}, {}, false},
                                             {"a", api_key_hash("k"), {}, {"a,b"}, false}}) {
    auto x = api_keys::make({bad});
    CAF_REQUIRE(!x);
    CAF_CHECK(x.error().code == errc::invalid_configuration);
    CAF_CHECK(x.error().detail.starts_with("[[auth.api-key]] \"a\": "));
  }
}

CAF_TEST(a change of an entry is noticed) {
  auto basis = [](const auth_api_key& x) { return make({x}).bases().front(); };
  auth_api_key x{"a", api_key_hash("k"), {"a"}, {"b"}, false};
  auto before = basis(x);
  auto who = make({x}).identify("k");
  CAF_REQUIRE(who);
  CAF_CHECK_EQUAL(who->basis, before);
  CAF_CHECK_EQUAL(basis(x), before);
  auto changed = [&](auto change) {
    auto y = x;
    change(y);
    return basis(y);
  };
  CAF_CHECK_NOT_EQUAL(changed([](auto& y) { y.sha256 = api_key_hash("l"); }), before);
  CAF_CHECK_NOT_EQUAL(changed([](auto& y) { y.publish = {}; }), before);
  CAF_CHECK_NOT_EQUAL(changed([](auto& y) { y.subscribe = {"b", "c"}; }), before);
  CAF_CHECK_NOT_EQUAL(changed([](auto& y) { y.admin = true; }), before);
}

CAF_TEST(secrets are compared in constant time) {
  // What a clock cannot show reliably: the one function that compares does so without branches, and
  // everything that compares secrets uses it.
  CAF_CHECK_NOT_EQUAL(source("openssl.cpp").find("CRYPTO_memcmp("), std::string::npos);
  for (auto name : {"api_keys.cpp", "verification_key.cpp"}) {
    CAF_CHECK_NOT_EQUAL(source(name).find("equal_in_constant_time("), std::string::npos);
    CAF_CHECK_EQUAL(source(name).find("memcmp"), std::string::npos);
  }
}

} // namespace
