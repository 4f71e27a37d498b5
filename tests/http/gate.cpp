#define CAF_SUITE gate

#include "http/gate.hpp"

#include "support/make_request.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings;
using namespace tidings::http;
using namespace std::string_literals;
using test::make_request;

std::shared_ptr<const authenticator> gate_of(const auth_config& x) {
  return *authenticator::make(x);
}

std::shared_ptr<const authenticator> open_gate() {
  return gate_of({});
}

std::shared_ptr<const authenticator> closed_gate() {
  auth_config x;
  x.proxies = {"10.0.0.1"};
  return gate_of(x);
}

caller_ptr made(caller::way how, std::string user, bool admin = false) {
  caller x;
  x.how = how;
  x.user = std::move(user);
  x.admin = admin;
  return std::make_shared<const caller>(std::move(x));
}

/// Who is let in, and what is left of the query.
std::string let_in(const authenticator& gate, std::string target, test::field_list fields = {},
                   std::string_view address = "127.0.0.1") {
  auto x = make_request(std::move(target), fields);
  auto who = identify(gate, **x, address, 0);
  if (!who)
    return to_string(who.error().code);
  std::string left;
  for (auto name : {"access_token", "user", "topics"})
    if (auto value = (**x).query.first(name))
      left += " "s + name + "=" + std::string{*value};
  auto anybody = (*who)->how == caller::way::open && (*who)->user.empty();
  return (anybody ? "anybody"s : to_string((*who)->how) + " "s + (*who)->user) + left;
}

std::string user_in(std::string target, caller_ptr who = nullptr) {
  auto x = make_request(std::move(target));
  (**x).who = std::move(who);
  auto user = user_of_path(**x);
  return user ? *user : to_string(user.error().code);
}

bool unwilled(caller::way how, test::field_list fields, std::vector<std::string> allowed = {}) {
  auto x = make_request("/events", fields);
  (**x).who = made(how, "alice");
  return is_unwilled(**x, allowed);
}

std::string verdict(const status& x) {
  return x ? to_string(x->code) : "yes";
}

CAF_TEST(health checks and preflights are for anybody) {
  for (auto path : {"/healthz", "/readyz"})
    CAF_CHECK(is_for_anybody(**make_request(path)));
  auto asked = make_request("/events");
  CAF_CHECK(!is_for_anybody(**asked));
  (**asked).method = bhttp::verb::options;
  CAF_CHECK(is_for_anybody(**asked));
}

CAF_TEST(in an open broker the user is who they say) {
  auto gate = open_gate();
  CAF_CHECK_EQUAL(let_in(*gate, "/events?topics=t"), "anybody topics=t");
  CAF_CHECK_EQUAL(let_in(*gate, "/events?user=bob&topics=t"), "open bob topics=t");
  CAF_CHECK_EQUAL(let_in(*gate, "/events", {{"X-User-Id", "bob"}}), "open bob");
  CAF_CHECK_EQUAL(let_in(*gate, "/events?user=bob", {{"X-User-Id", "eve"}}), "unauthorized");
  CAF_CHECK_EQUAL(let_in(*gate, "/events?user=bob&user=eve"), "unauthorized");
  CAF_CHECK_EQUAL(let_in(*gate, "/events", {{"Authorization", "Bearer x"}}), "unauthorized");
}

CAF_TEST(what says who asks is taken out of the query) {
  auto gate = closed_gate();
  CAF_CHECK_EQUAL(let_in(*gate, "/events?topics=t"), "nobody  topics=t");
  CAF_CHECK_EQUAL(let_in(*gate, "/events?access_token=x"), "unauthorized");
  // Not a word of the gate here: it stays a parameter, which the handler refuses.
  CAF_CHECK_EQUAL(let_in(*gate, "/events?user=bob"), "nobody  user=bob");
}

CAF_TEST(the header of a proxy counts from its address alone) {
  auto gate = closed_gate();
  CAF_CHECK_EQUAL(let_in(*gate, "/events", {{"X-User-Id", "bob"}}), "nobody ");
  CAF_CHECK_EQUAL(let_in(*gate, "/events", {{"X-User-Id", "bob"}}, "10.0.0.1"), "proxy bob");
  CAF_CHECK_EQUAL(
    let_in(*gate, "/events", {{"X-User-Id", "bob"}, {"X-User-Id", "eve"}}, "10.0.0.1"),
    "unauthorized");
}

CAF_TEST(a cookie alone changes nothing from elsewhere) {
  using enum caller::way;
  CAF_CHECK(unwilled(cookie, {}));
  CAF_CHECK(!unwilled(cookie, {{"Sec-Fetch-Site", "same-origin"}}));
  CAF_CHECK(unwilled(cookie, {{"Sec-Fetch-Site", "same-site"}}));
  CAF_CHECK(!unwilled(cookie, {{"Origin", "http://a.test"}, {"Host", "a.test"}}));
  CAF_CHECK(unwilled(cookie, {{"Origin", "http://b.test"}, {"Host", "a.test"}}));
  CAF_CHECK(
    !unwilled(cookie, {{"Origin", "http://b.test"}, {"Host", "a.test"}}, {"http://b.test"}));
  CAF_CHECK(unwilled(cookie, {{"Origin", "http://b.test"}, {"Host", "a.test"}}, {"*"}));
  // A proxy may have let in a page's request by a cookie of its own.
  auto by_proxy = caller::way::proxy;
  CAF_CHECK(!unwilled(by_proxy, {}));
  CAF_CHECK(!unwilled(by_proxy, {{"Origin", "http://a.test"}, {"Host", "a.test"}}));
  CAF_CHECK(unwilled(by_proxy, {{"Origin", "http://b.test"}, {"Host", "a.test"}}, {"*"}));
  CAF_CHECK(
    !unwilled(by_proxy, {{"Origin", "http://b.test"}, {"Host", "a.test"}}, {"http://b.test"}));
  CAF_CHECK(!unwilled(token, {}));
}

CAF_TEST(users in paths) {
  auto alice = made(caller::way::token, "alice");
  CAF_CHECK_EQUAL(user_in("/users/bob/mailbox"), "bob");
  CAF_CHECK_EQUAL(user_in("/users/b%20b/mailbox"), "b b");
  CAF_CHECK_EQUAL(user_in("/users/me/stream", alice), "alice");
  CAF_CHECK_EQUAL(user_in("/users/me/stream"), "unauthorized");
  CAF_CHECK_EQUAL(user_in("/users/me/stream", made(caller::way::nobody, "")), "unauthorized");
  CAF_CHECK_EQUAL(user_in("/users//mailbox"), "invalid_parameter");
  CAF_CHECK_EQUAL(user_in("/users/*/mailbox"), "invalid_parameter");
}

CAF_TEST(mailboxes open to their users and to administrators) {
  using enum caller::way;
  CAF_CHECK(may_open(nullptr, "alice"));
  CAF_CHECK(may_open(made(open, "bob"), "alice"));
  CAF_CHECK(may_open(made(token, "alice"), "alice"));
  CAF_CHECK(!may_open(made(token, "bob"), "alice"));
  CAF_CHECK(!may_open(made(nobody, ""), "alice"));
  CAF_CHECK(may_open(made(token, "root", true), "alice"));
}

CAF_TEST(who lacks a right hears whether signing in would help) {
  using enum caller::way;
  event x;
  x.topics = {"t"};
  CAF_CHECK_EQUAL(verdict(check_publish(nullptr, x)), "yes");
  CAF_CHECK_EQUAL(verdict(check_publish(made(token, "bob"), x)), "forbidden");
  CAF_CHECK_EQUAL(verdict(check_publish(made(nobody, ""), x)), "unauthorized");
  CAF_CHECK_EQUAL(verdict(check_admin(nullptr)), "yes");
  CAF_CHECK_EQUAL(verdict(check_admin(made(token, "root", true))), "yes");
  CAF_CHECK_EQUAL(verdict(check_admin(made(token, "bob"))), "forbidden");
  CAF_CHECK_EQUAL(verdict(check_admin(made(nobody, ""))), "unauthorized");
}

} // namespace
