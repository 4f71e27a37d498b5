#define CAF_SUITE authenticator

#include "identity/authenticator.hpp"

#include "support/scratch_file.hpp"
#include "support/test_keys.hpp"
#include "tidings/mailbox.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings;
using namespace std::literals;
using namespace std::chrono_literals;
using enum token_algorithm;

constexpr int64_t now_s = 1'900'000'000;
constexpr int64_t now_ms = now_s * 1000;
constexpr auto shop_key = "0123456789abcdef0123456789abcdef";

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::shared_ptr<const authenticator> make(const auth_config& x,
                                          std::shared_ptr<const revocations> revoked = nullptr) {
  auto made = authenticator::make(x, std::move(revoked));
  if (!made)
    CAF_FAIL(made.error().detail);
  return *made;
}

/// A token for a user; of the right key or of another one.
std::string token(const std::string& user, bool good = true, const std::string& more = {}) {
  static const auto other = make_test_key(hs256);
  auto& key = good ? shared_test_key(hs256) : other;
  return key.token(header_for(hs256), "{\"exp\":" + std::to_string(now_s + 300)
                                        + ",\"iat\":" + std::to_string(now_s)
                                        + (user.empty() ? "" : ",\"sub\":\"" + user + '"')
                                        + (more.empty() ? "" : "," + more) + '}');
}

auth_config everything() {
  auth_config x;
  x.keys = {{"k", hs256, "", shared_test_key(hs256).secret_part, ""}};
  x.api_keys = {{"shop", api_key_hash(shop_key), {"order:*"}, {}, false}};
  x.proxies = {"10.0.0.7"};
  x.proxy_publish = {"chat:*"};
  x.anonymous_subscribe = {"public:*"};
  return x;
}

/// Keeps what `credentials` point at.
struct request {
  std::string authorization;
  std::string cookie;
  std::string query_token;
  std::string user_header;
  std::string user_parameter;
  std::string api_key;
  std::string peer_address = "203.0.113.9";
  bool is_stream = true;
  bool ambiguous = false;

  credentials offered() const {
    credentials x;
    auto set = [](std::optional<std::string_view>& to, const std::string& from) {
      if (!from.empty())
        to = from;
    };
    set(x.authorization, authorization);
    set(x.cookie, cookie);
    set(x.query_token, query_token);
    set(x.user_header, user_header);
    set(x.user_parameter, user_parameter);
    set(x.api_key, api_key);
    x.peer_address = peer_address;
    x.is_stream = is_stream;
    x.ambiguous = ambiguous;
    return x;
  }
};

/// `way user`, or why not.
std::string verdict(const authenticator& by, const request& x) {
  auto who = by.authenticate(x.offered(), now_ms);
  if (who)
    return to_string(who->how) + (' ' + who->user);
  CAF_CHECK(who.error().code == errc::unauthorized);
  for (auto* secret : {&x.authorization, &x.query_token, &x.api_key})
    CAF_CHECK(secret->size() < 9 || !contains(who.error().detail, *secret));
  return "401 " + who.error().detail;
}

bool is_refused(const authenticator& by, const request& x, std::string_view part = {}) {
  auto text = verdict(by, x);
  if (!text.starts_with("401 ") || !contains(text, part))
    CAF_MESSAGE(text);
  return text.starts_with("401 ") && contains(text, part);
}

// -- each way ------------------------------------------------------------------------------------

CAF_TEST(each way lets in who is right) {
  auto x = make(everything());
  CAF_CHECK(!x->is_open());
  CAF_CHECK_EQUAL(verdict(*x, {.authorization = "Bearer " + token("alice")}), "token alice");
  CAF_CHECK_EQUAL(verdict(*x, {.authorization = "bearer   " + token("alice")}), "token alice");
  CAF_CHECK_EQUAL(verdict(*x, {.authorization = "Bearer " + token("")}), "token ");
  CAF_CHECK_EQUAL(verdict(*x, {.cookie = "a=b; tidings=" + token("alice")}), "cookie alice");
  CAF_CHECK_EQUAL(verdict(*x, {.query_token = token("alice")}), "query alice");
  CAF_CHECK_EQUAL(verdict(*x, {.user_header = "alice", .peer_address = "10.0.0.7"}), "proxy alice");
  CAF_CHECK_EQUAL(verdict(*x, {.api_key = shop_key}), "api_key ");
  CAF_CHECK_EQUAL(verdict(*x, {.authorization = "ApiKey "s + shop_key}), "api_key ");
  CAF_CHECK_EQUAL(verdict(*x, {.authorization = "apikey "s + shop_key}), "api_key ");
  CAF_CHECK_EQUAL(verdict(*x, {}), "nobody ");
}

CAF_TEST(each way refuses what is wrong) {
  auto x = make(everything());
  CAF_CHECK(is_refused(*x, {.authorization = "Bearer " + token("alice", false)}, "bearer token"));
  CAF_CHECK(is_refused(*x, {.cookie = "tidings=" + token("alice", false)}, "cookie"));
  CAF_CHECK(is_refused(*x, {.cookie = "tidings=rubbish"}, "cookie"));
  CAF_CHECK(is_refused(*x, {.query_token = token("alice", false)}, "URL"));
  CAF_CHECK(is_refused(*x, {.user_header = "a,b", .peer_address = "10.0.0.7"}, "proxy"));
  CAF_CHECK(is_refused(*x, {.api_key = "guess"}, "API key"));
  CAF_CHECK(is_refused(*x, {.authorization = "ApiKey guess"}, "API key"));
  for (auto bad : {"Basic YTpi", "Bearer", "Bearer ", "Bearer\tx", " Bearer x", "x", "Digest a=b"})
    CAF_CHECK(is_refused(*x, {.authorization = bad}));
}

CAF_TEST(an authorization that is there and empty is wrong) {
  auto x = make(everything());
  credentials empty;
  empty.authorization = "";
  CAF_CHECK(!x->authenticate(empty, now_ms));
  credentials key;
  key.api_key = "";
  CAF_CHECK(!x->authenticate(key, now_ms));
  credentials query;
  query.query_token = "";
  query.is_stream = true;
  CAF_CHECK(!x->authenticate(query, now_ms));
}

CAF_TEST(a token in the URL is for streams) {
  auto x = make(everything());
  CAF_CHECK(
    is_refused(*x, {.query_token = token("alice"), .is_stream = false}, "only for streams"));
}

CAF_TEST(a field that comes twice means nothing) {
  auto x = make(everything());
  CAF_CHECK(is_refused(*x, {.authorization = "Bearer " + token("alice"), .ambiguous = true},
                       "more than once"));
  auto good = "tidings=" + token("alice");
  CAF_CHECK(is_refused(*x, {.cookie = good + "; " + good}, "more than once"));
}

CAF_TEST(a header from anybody else is not believed) {
  auto x = make(everything());
  CAF_CHECK_EQUAL(verdict(*x, {.user_header = "root"}), "nobody ");
  CAF_CHECK_EQUAL(verdict(*x, {.user_header = "root", .peer_address = "10.0.0.8"}), "nobody ");
  CAF_CHECK_EQUAL(verdict(*x, {.user_parameter = "root"}), "nobody ");
  CAF_CHECK_EQUAL(verdict(*x, {.user_parameter = "root", .peer_address = "10.0.0.7"}), "nobody ");
  CAF_CHECK_EQUAL(verdict(*x, {.authorization = "Bearer " + token("alice"), .user_header = "root"}),
                  "token alice");
}

CAF_TEST(a trusted proxy has looked at what the broker does not understand) {
  auto x = make(everything());
  CAF_CHECK_EQUAL(
    verdict(*x,
            {.authorization = "Basic YTpi", .user_header = "alice", .peer_address = "10.0.0.7"}),
    "proxy alice");
  CAF_CHECK(is_refused(*x, {.authorization = "Basic YTpi", .peer_address = "10.0.0.7"}));
  CAF_CHECK(is_refused(*x, {.authorization = "Bearer " + token("alice", false),
                            .user_header = "alice",
                            .peer_address = "10.0.0.7"}));
}

// -- several at once -----------------------------------------------------------------------------

CAF_TEST(the most trusted of several says what is permitted) {
  auto x = make(everything());
  request all{.authorization = "Bearer " + token("alice", true, R"("tidings":{"publish":["a"]})"),
              .cookie = "tidings=" + token("alice"),
              .query_token = token("alice"),
              .user_header = "alice",
              .api_key = shop_key,
              .peer_address = "10.0.0.7"};
  auto who = x->authenticate(all.offered(), now_ms);
  CAF_REQUIRE(who);
  CAF_CHECK(who->how == caller::way::token);
  CAF_CHECK(who->publish.permits("a"));
  CAF_CHECK(!who->publish.permits("order:1"));
  CAF_CHECK(!who->publish.permits("chat:1"));
  all.authorization.clear();
  CAF_CHECK_EQUAL(verdict(*x, all), "cookie alice");
  all.cookie.clear();
  CAF_CHECK_EQUAL(verdict(*x, all), "query alice");
  all.query_token.clear();
  CAF_CHECK_EQUAL(verdict(*x, all), "proxy alice");
  all.user_header.clear();
  CAF_CHECK_EQUAL(verdict(*x, all), "api_key ");
}

CAF_TEST(nothing that is wrong is passed over) {
  auto x = make(everything());
  auto good = "Bearer " + token("alice");
  auto bad = token("alice", false);
  CAF_CHECK(is_refused(*x, {.authorization = good, .cookie = "tidings=" + bad}, "cookie"));
  CAF_CHECK(is_refused(*x, {.authorization = good, .query_token = bad}, "URL"));
  CAF_CHECK(is_refused(*x, {.authorization = good, .api_key = "guess"}, "API key"));
  CAF_CHECK(is_refused(*x, {.authorization = "Bearer " + bad, .api_key = shop_key}, "bearer"));
  CAF_CHECK(is_refused(
    *x, {.authorization = "Bearer " + bad, .cookie = "tidings=" + token("alice")}, "bearer"));
  CAF_CHECK(
    is_refused(*x, {.cookie = "tidings=" + bad, .user_header = "alice", .peer_address = "10.0.0.7"},
               "cookie"));
  CAF_CHECK(is_refused(*x, {.authorization = good, .user_header = "*", .peer_address = "10.0.0.7"},
                       "proxy"));
}

CAF_TEST(all have to mean the same user) {
  auto x = make(everything());
  auto alice = "Bearer " + token("alice");
  CAF_CHECK(is_refused(*x, {.authorization = alice, .cookie = "tidings=" + token("bob")},
                       "two different users"));
  CAF_CHECK(is_refused(*x, {.authorization = alice, .query_token = token("bob")}, "two different"));
  CAF_CHECK(is_refused(*x, {.cookie = "tidings=" + token("alice"), .query_token = token("bob")},
                       "two different"));
  CAF_CHECK(is_refused(*x,
                       {.authorization = alice, .user_header = "bob", .peer_address = "10.0.0.7"},
                       "two different"));
  // Who names no user contradicts nobody; two others still do.
  auto nobody = "Bearer " + token("");
  CAF_CHECK_EQUAL(verdict(*x, {.authorization = nobody, .cookie = "tidings=" + token("bob")}),
                  "token ");
  CAF_CHECK(is_refused(
    *x,
    {.authorization = nobody, .cookie = "tidings=" + token("alice"), .query_token = token("bob")},
    "two different users"));
  CAF_CHECK(is_refused(*x, {.authorization = "ApiKey guess", .api_key = shop_key},
                       "two different API keys"));
}

// -- who offers nothing --------------------------------------------------------------------------

CAF_TEST(nobody has the configured rights) {
  auto x = make(everything());
  auto who = x->authenticate({}, now_ms);
  CAF_REQUIRE(who);
  CAF_CHECK(who->how == caller::way::nobody);
  CAF_CHECK(who->subscribe.permits("public:1"));
  CAF_CHECK(!who->subscribe.permits("private"));
  CAF_CHECK(!who->subscribe.permits(everyone_topic));
  CAF_CHECK(!who->publish.permits("public:1"));
  CAF_CHECK(!who->admin);
}

CAF_TEST(an open broker lets in everybody as whom they like) {
  auto x = make({});
  CAF_CHECK(x->is_open());
  CAF_CHECK_EQUAL(x->user_header(), "X-User-Id");
  auto nobody = x->authenticate({}, now_ms);
  CAF_REQUIRE(nobody);
  CAF_CHECK(nobody->how == caller::way::open);
  CAF_CHECK(nobody->publish.is_all() && nobody->subscribe.is_all() && nobody->admin);
  CAF_CHECK_EQUAL(verdict(*x, {.user_header = "alice"}), "open alice");
  CAF_CHECK_EQUAL(verdict(*x, {.user_parameter = "alice"}), "open alice");
  CAF_CHECK_EQUAL(verdict(*x, {.user_header = "alice", .user_parameter = "alice"}), "open alice");
  CAF_CHECK(is_refused(*x, {.user_header = "alice", .user_parameter = "bob"}, "two different"));
  auto alice = x->authenticate(request{.user_parameter = "alice"}.offered(), now_ms);
  CAF_CHECK(alice->subscribe.permits(mailbox_topic("alice")));
  CAF_CHECK(!alice->subscribe.permits(mailbox_topic("bob")));
  auto impossible = x->authenticate(request{.user_header = "a,b"}.offered(), now_ms);
  CAF_REQUIRE(!impossible);
  CAF_CHECK(impossible.error().code == errc::invalid_parameter);
}

CAF_TEST(an open broker does not pretend to check) {
  auto x = make({});
  CAF_CHECK(is_refused(*x, {.authorization = "Bearer " + token("alice")}, "no key"));
  CAF_CHECK(is_refused(*x, {.api_key = shop_key}, "no API key"));
  CAF_CHECK(is_refused(*x, {.query_token = token("alice")}, "no key"));
  // A browser sends cookies by itself, also those of other services on the same host.
  CAF_CHECK_EQUAL(verdict(*x, {.cookie = "tidings=rubbish"}), "open ");
}

CAF_TEST(each way alone closes the broker) {
  auto all = everything();
  auth_config keys;
  keys.keys = all.keys;
  auth_config programs;
  programs.api_keys = all.api_keys;
  auth_config proxies;
  proxies.proxies = all.proxies;
  for (auto* x : {&keys, &programs, &proxies}) {
    auto by = make(*x);
    CAF_CHECK(!by->is_open());
    CAF_CHECK_EQUAL(verdict(*by, {.user_header = "root", .user_parameter = "root"}), "nobody ");
    CAF_CHECK(!by->authenticate({}, now_ms)->admin);
  }
}

CAF_TEST(cookies can be switched off and named) {
  auto cfg = everything();
  cfg.cookie = "session";
  CAF_CHECK_EQUAL(verdict(*make(cfg), {.cookie = "session=" + token("alice")}), "cookie alice");
  CAF_CHECK_EQUAL(verdict(*make(cfg), {.cookie = "tidings=" + token("alice")}), "nobody ");
  cfg.cookie.clear();
  CAF_CHECK_EQUAL(verdict(*make(cfg), {.cookie = "tidings=rubbish; =x"}), "nobody ");
}

// -- afterwards ----------------------------------------------------------------------------------

CAF_TEST(what is revoked is refused although it is remembered) {
  auto revoked = std::make_shared<revocations>(24h);
  auto x = make(everything(), revoked);
  request alice{.authorization = "Bearer " + token("alice", true, R"("jti":"t1")")};
  auto who = x->authenticate(alice.offered(), now_ms);
  CAF_REQUIRE(who);
  CAF_CHECK(x->is_still_good(*who, now_ms));
  CAF_CHECK(revoked->revoke({{}, "t1", 0, 0}, now_ms, now_ms));
  CAF_CHECK(is_refused(*x, alice, "revoked"));
  CAF_CHECK(!x->is_still_good(*who, now_ms));
  request bob{.cookie = "tidings=" + token("bob")};
  CAF_CHECK_EQUAL(verdict(*x, bob), "cookie bob");
  CAF_CHECK(revoked->revoke({"bob", {}, now_ms + 1, 0}, now_ms, now_ms));
  CAF_CHECK(is_refused(*x, bob, "revoked"));
}

CAF_TEST(a caller stays until the token ends) {
  auto x = make(everything());
  auto who = x->authenticate(request{.query_token = token("alice")}.offered(), now_ms);
  CAF_REQUIRE(who);
  CAF_CHECK_EQUAL(who->expires_at_ms, now_ms + 310'000);
  CAF_CHECK(x->is_still_good(*who, now_ms + 309'999));
  CAF_CHECK(!x->is_still_good(*who, now_ms + 310'000));
  auto nobody = x->authenticate({}, now_ms);
  CAF_CHECK(x->is_still_good(*nobody, now_ms + 1'000'000'000));
}

CAF_TEST(a caller stays while what let them in is configured) {
  auto cfg = everything();
  auto before = make(cfg);
  std::vector<caller> callers;
  for (auto& x :
       {request{.authorization = "Bearer " + token("alice")}, request{.api_key = shop_key},
        request{.user_header = "alice", .peer_address = "10.0.0.7"}, request{}})
    callers.push_back(*before->authenticate(x.offered(), now_ms));
  auto staying = [&](const auth_config& x) {
    auto after = make(x);
    std::string all;
    for (auto& who : callers)
      all += after->is_still_good(who, now_ms) ? '1' : '0';
    return all;
  };
  CAF_CHECK_EQUAL(staying(cfg), "1111");
  auto rotated = cfg;
  rotated.keys.insert(rotated.keys.begin(),
                      {"new", hs256, "", make_test_key(hs256).secret_part, ""});
  CAF_CHECK_EQUAL(staying(rotated), "1111"); // old and new at once
  rotated.keys.pop_back();
  CAF_CHECK_EQUAL(staying(rotated), "0111");
  auto other_key = cfg;
  other_key.keys[0].secret = make_test_key(hs256).secret_part; // of the same name
  CAF_CHECK_EQUAL(staying(other_key), "0111");
  auto other_audience = cfg;
  other_audience.audience = "tidings";
  CAF_CHECK_EQUAL(staying(other_audience), "0111");
  auto without_shop = cfg;
  without_shop.api_keys.clear();
  CAF_CHECK_EQUAL(staying(without_shop), "1011");
  auto less_for_proxies = cfg;
  less_for_proxies.proxy_publish.clear();
  CAF_CHECK_EQUAL(staying(less_for_proxies), "1101");
  auto less_for_nobody = cfg;
  less_for_nobody.anonymous_subscribe.clear();
  CAF_CHECK_EQUAL(staying(less_for_nobody), "1110");
  CAF_CHECK_EQUAL(staying({}), "0000");
}

CAF_TEST(a bad configuration makes no authenticator) {
  auto problem = [](auto change) {
    auth_config x;
    change(x);
    auto made = authenticator::make(x);
    return made ? ""s : made.error().detail;
  };
  CAF_CHECK(contains(problem([](auto& x) {
                       x.keys = {{"k", eddsa, "/no/such/file", "", ""}};
                     }),
                     "[[auth.key]] \"k\": /no/such/file cannot be read"));
  CAF_CHECK(contains(problem([](auto& x) { x.api_keys = {{"a", "b", {}, {}, false}}; }), "sha256"));
  CAF_CHECK(contains(problem([](auto& x) { x.proxies = {"proxy.example"}; }), "auth.proxies"));
  CAF_CHECK(contains(problem([](auto& x) { x.anonymous_publish = {"a**"}; }), "anonymous-publish"));
  CAF_CHECK(
    contains(problem([](auto& x) { x.anonymous_subscribe = {"a**"}; }), "anonymous-subscribe"));
}

} // namespace
