#define CAF_SUITE proxy_trust

#include "identity/proxy_trust.hpp"

#include "tidings/mailbox.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings;
using namespace std::literals;

proxy_trust make(const auth_config& x) {
  auto made = proxy_trust::make(x);
  CAF_REQUIRE(made);
  return *made;
}

auth_config with_proxies(std::vector<std::string> proxies) {
  auth_config x;
  x.proxies = std::move(proxies);
  return x;
}

CAF_TEST(only the listed addresses are trusted) {
  auto x = make(with_proxies({"10.0.0.7", "192.168.0.0/16", "2001:db8::/32", "::1"}));
  for (auto good : {"10.0.0.7", "::ffff:10.0.0.7", "192.168.255.255", "2001:db8:1::5", "::1"})
    CAF_CHECK(x.trusts(good));
  for (auto bad : {"10.0.0.8", "192.169.0.0", "2001:db9::1", "127.0.0.1", "::2", "", "localhost",
                   "10.0.0.7 ", "10.0.0.7:80", "010.0.0.7"})
    CAF_CHECK(!x.trusts(bad));
  CAF_CHECK(!make({}).trusts("127.0.0.1"));
  CAF_CHECK(make({}).empty());
}

CAF_TEST(a proxy names a user with the rights of all such users) {
  auto cfg = with_proxies({"10.0.0.7"});
  cfg.proxy_publish = {"chat:*"};
  cfg.proxy_subscribe = {"news"};
  cfg.proxy_admins = {"zoe", "root"};
  auto x = make(cfg);
  auto alice = x.identify("alice");
  CAF_REQUIRE(alice);
  CAF_CHECK(alice->how == caller::way::proxy);
  CAF_CHECK_EQUAL(alice->user, "alice");
  CAF_CHECK(alice->publish.permits("chat:1"));
  CAF_CHECK(!alice->publish.permits("news"));
  CAF_CHECK(alice->subscribe.permits("news"));
  CAF_CHECK(alice->subscribe.permits(mailbox_topic("alice")));
  CAF_CHECK(!alice->subscribe.permits(mailbox_topic("root")));
  CAF_CHECK(!alice->admin);
  CAF_CHECK(x.identify("root")->admin);
  CAF_CHECK(x.identify("zoe")->admin);
}

CAF_TEST(what cannot be a user is refused) {
  auto x = make(with_proxies({"10.0.0.7"}));
  for (auto& bad : {""s, "me"s, "*"s, "a,b"s, "a\nb"s, "a\0"s, "\xff"s, std::string(129, 'u')}) {
    auto who = x.identify(bad);
    CAF_REQUIRE(!who);
    CAF_CHECK(who.error().code == errc::unauthorized);
  }
}

CAF_TEST(a change of the rule is noticed) {
  auto cfg = with_proxies({"10.0.0.7"});
  auto before = make(cfg).basis();
  auto who = make(cfg).identify("alice");
  CAF_REQUIRE(who);
  CAF_CHECK_EQUAL(who->basis, before);
  cfg.proxy_admins = {"alice"};
  CAF_CHECK_NOT_EQUAL(make(cfg).basis(), before);
}

} // namespace
