#define CAF_SUITE token_verifier

#include "identity/token_verifier.hpp"

#include "support/test_keys.hpp"
#include "tidings/mailbox.hpp"
#include "tidings/text.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <thread>

namespace {

using namespace tidings;
using namespace std::literals;
using namespace std::chrono_literals;
using enum token_algorithm;

constexpr int64_t now_s = 1'900'000'000;
constexpr int64_t now_ms = now_s * 1000;

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string verdict(const result<caller>& x) {
  if (x)
    return "good";
  CAF_CHECK(x.error().code == errc::unauthorized);
  return x.error().detail;
}

token_verifier verifier_of(std::vector<verification_key> keys, token_rules rules = {}) {
  return token_verifier{key_ring{std::move(keys)}, std::move(rules)};
}

/// Claims with `exp` and `iat` relative to now, and more.
std::string claims(int64_t exp, std::optional<int64_t> iat = 0, const std::string& more = {}) {
  return "{\"sub\":\"alice\",\"exp\":" + std::to_string(now_s + exp)
         + (iat ? ",\"iat\":" + std::to_string(now_s + *iat) : ""s)
         + (more.empty() ? "" : "," + more) + '}';
}

std::string token(const std::string& body, token_algorithm algorithm = hs256) {
  return shared_test_key(algorithm).token(header_for(algorithm), body);
}

struct fixture {
  token_verifier verifier = verifier_of({shared_test_key(hs256).verifier()});

  std::string check(const std::string& body, caller::way how = caller::way::token) {
    return verdict(verifier.verify(token(body), how, now_ms));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(token_verifier_tests, fixture)

CAF_TEST(a good token says who and what) {
  auto body = claims(3600, 0,
                     R"("jti":"t1","tidings":{"publish":["order:*"],"subscribe":["news"],)"
                     R"("admin":true})");
  auto who = verifier.verify(token(body), caller::way::cookie, now_ms);
  CAF_REQUIRE(who);
  CAF_CHECK(who->how == caller::way::cookie);
  CAF_CHECK_EQUAL(who->user, "alice");
  CAF_CHECK(who->publish.permits("order:1"));
  CAF_CHECK(who->subscribe.permits("news"));
  CAF_CHECK(who->admin);
  CAF_CHECK_EQUAL(who->token_id, "t1");
  CAF_CHECK_EQUAL(who->key_name, "test");
  CAF_CHECK_EQUAL(who->expires_at_ms, now_ms + 3'610'000);
  CAF_CHECK_EQUAL(who->issued_at_ms, now_ms);
}

CAF_TEST(a user may read what is their own and nobody else may) {
  auto who = verifier.verify(token(claims(60)), caller::way::token, now_ms);
  CAF_REQUIRE(who);
  for (auto& topic : {user_topic("alice"), std::string{everyone_topic}, mailbox_topic("alice")}) {
    CAF_CHECK(who->subscribe.permits(topic));
    CAF_CHECK(!who->publish.permits(topic));
  }
  for (auto& topic : {user_topic("bob"), mailbox_topic("bob"), user_topic("alice:x"), "news"s})
    CAF_CHECK(!who->subscribe.permits(topic));
  auto nobody = verifier.verify(token("{\"exp\":" + std::to_string(now_s + 60) + '}'),
                                caller::way::token, now_ms);
  CAF_REQUIRE(nobody);
  CAF_CHECK(nobody->user.empty());
  CAF_CHECK(!nobody->subscribe.permits(everyone_topic));
}

// -- A1, A2: which algorithm ---------------------------------------------------------------------

CAF_TEST(a token without a signature is none) {
  for (auto alg : {"none", "None", "nOnE", "NONE", ""}) {
    std::string text;
    append_base64url(text, R"({"typ":"JWT","alg":")"s + alg + "\"}");
    text += '.';
    append_base64url(text, claims(60));
    for (auto signature : {".", ".AA"})
      CAF_CHECK(
        contains(verdict(verifier.verify(text + signature, caller::way::token, now_ms)), "alg"));
  }
}

CAF_TEST(what is public signs nothing) {
  for (auto algorithm : {rs256, es256, eddsa}) {
    auto& key = shared_test_key(algorithm);
    auto& pem = key.public_part;
    auto inner = pem.substr(pem.find('\n') + 1);
    inner = inner.substr(0, inner.find("-----"));
    std::erase(inner, '\n');
    auto der = *from_base64(inner);
    auto only = verifier_of({key.verifier()});
    auto beside = verifier_of({key.verifier(), shared_test_key(hs256).verifier()});
    // As a file, without its line end, as DER, as the raw key, as text of the DER.
    for (auto& secret : {pem, pem.substr(0, pem.size() - 1), der, der.substr(der.size() - 32),
                         inner, "{\"kty\":\"x\",\"x\":\"" + inner + "\"}"}) {
      for (auto kid : {"", R"(,"kid":"test")"}) {
        std::string text;
        append_base64url(text, R"({"alg":"HS256","typ":"JWT")"s + kid + '}');
        text += '.';
        append_base64url(text, claims(60));
        auto signer = private_key::parse("base64:" + to_base64(secret), hs256);
        CAF_REQUIRE(signer);
        auto signature = signer->sign(text);
        text += '.';
        append_base64url(text, *signature);
        CAF_CHECK(contains(verdict(only.verify(text, caller::way::token, now_ms)), "no key"));
        CAF_CHECK(
          contains(verdict(beside.verify(text, caller::way::token, now_ms)), "its signature"));
      }
    }
  }
}

CAF_TEST(a key works for its own algorithm only) {
  for (auto signer : all_token_algorithms)
    for (auto claimed : all_token_algorithms) {
      auto& key = shared_test_key(signer);
      auto text = key.token(header_for(claimed), claims(60));
      auto all =
        verifier_of({shared_test_key(hs256).verifier(), shared_test_key(rs256).verifier(),
                     shared_test_key(es256).verifier(), shared_test_key(eddsa).verifier()});
      auto good = verdict(all.verify(text, caller::way::token, now_ms)) == "good";
      CAF_CHECK_EQUAL(good, signer == claimed);
    }
}

// -- A3, A4: which key ---------------------------------------------------------------------------

CAF_TEST(what the header says about keys does not count) {
  auto foreign = make_test_key(es256);
  auto mine = verifier_of({shared_test_key(es256).verifier("mine")});
  for (auto more : {R"("kid":"mine")", R"("jku":"http://127.0.0.1:1/","kid":"mine")",
                    R"("x5u":"http://127.0.0.1:1/")", R"("jwk":{"kty":"EC"})", R"("x5c":["AA"])"}) {
    auto header = R"({"alg":"ES256","typ":"JWT",)"s + more + '}';
    CAF_CHECK(
      contains(verdict(mine.verify(foreign.token(header, claims(60)), caller::way::token, now_ms)),
               "its signature"));
    CAF_CHECK_EQUAL(verdict(mine.verify(shared_test_key(es256).token(header, claims(60)),
                                        caller::way::token, now_ms)),
                    "good");
  }
}

CAF_TEST(a token that names a key we do not have is refused whoever signed it) {
  auto mine = verifier_of({shared_test_key(es256).verifier("mine")});
  for (auto kid : {"other", "../../etc/passwd", R"(mine\u0000)", "MINE", ""}) {
    auto header = R"({"alg":"ES256","typ":"JWT","kid":")"s + kid + R"("})";
    CAF_CHECK(contains(verdict(mine.verify(shared_test_key(es256).token(header, claims(60)),
                                           caller::way::token, now_ms)),
                       "no key is configured"));
  }
}

CAF_TEST(without a key nobody is let in) {
  auto none = verifier_of({});
  CAF_CHECK(!none.has_keys());
  CAF_CHECK(
    contains(verdict(none.verify(token(claims(60)), caller::way::token, now_ms)), "no key"));
}

// -- A5: times -----------------------------------------------------------------------------------

CAF_TEST(a token ends) {
  CAF_CHECK_EQUAL(check(claims(1)), "good");
  CAF_CHECK_EQUAL(check(claims(-9, -60)), "good"); // leeway
  CAF_CHECK_EQUAL(check(claims(-10, -60)), "it has expired");
  CAF_CHECK_EQUAL(check(claims(-3600, -7200)), "it has expired");
  CAF_CHECK_EQUAL(check(R"({"sub":"a"})"), "it has no exp");
  CAF_CHECK(contains(check(R"({"exp":"1900000060"})"), "not a number"));
  CAF_CHECK(contains(check(R"({"exp":1e400})"), "is not JSON"));
  CAF_CHECK(contains(check(R"({"exp":-1})"), "no time"));
  CAF_CHECK_EQUAL(check(R"({"exp":1900000060.5})"), "good");
}

CAF_TEST(a token begins) {
  auto nbf = [](int64_t s) { return "\"nbf\":" + std::to_string(now_s + s); };
  CAF_CHECK_EQUAL(check(claims(60, 0, nbf(10))), "good");
  CAF_CHECK(contains(check(claims(60, 0, nbf(11))), "nbf"));
  CAF_CHECK_EQUAL(check(claims(60, 10)), "good");
  CAF_CHECK(contains(check(claims(60, 11)), "iat"));
  CAF_CHECK(contains(check(claims(-5, -5)), "expired before it was issued"));
  CAF_CHECK(contains(check(claims(1, 2)), "expired before it was issued"));
}

CAF_TEST(a token does not live long) {
  constexpr int64_t day = 24 * 60 * 60;
  CAF_CHECK_EQUAL(check(claims(day)), "good");
  CAF_CHECK_EQUAL(check(claims(day - 1000, -1000)), "good");
  CAF_CHECK_EQUAL(check(claims(day + 1)), "it lives longer than the 1d that tokens may");
  CAF_CHECK(contains(check(claims(60, -day)), "lives longer"));
  CAF_CHECK(contains(check(claims(10 * 365 * day)), "lives longer"));
  CAF_CHECK_EQUAL(check(claims(day, std::nullopt)), "good");
  CAF_CHECK_EQUAL(check(claims(day + 10, std::nullopt)), "good"); // the issuer's clock is ahead
  CAF_CHECK(contains(check(claims(day + 11, std::nullopt)), "lives longer"));
}

CAF_TEST(a token in a URL has little left) {
  auto in_url = [this](int64_t exp, std::optional<int64_t> iat) {
    return check(claims(exp, iat), caller::way::query);
  };
  CAF_CHECK_EQUAL(in_url(600, 0), "good");
  CAF_CHECK_EQUAL(in_url(600, -3600), "good");
  CAF_CHECK_EQUAL(in_url(610, 10), "good");
  CAF_CHECK(contains(in_url(611, 0), "too much for a URL"));
  CAF_CHECK(contains(in_url(3600, 0), "too much for a URL"));
  CAF_CHECK_EQUAL(check(claims(3600), caller::way::cookie), "good");
}

CAF_TEST(times are checked each time that a token comes) {
  auto text = token(claims(60, 0, "\"nbf\":" + std::to_string(now_s)));
  auto at = [&](int64_t s, caller::way how = caller::way::token) {
    return verdict(verifier.verify(text, how, now_ms + s * 1000));
  };
  CAF_CHECK_EQUAL(at(0), "good");
  CAF_CHECK_EQUAL(verifier.remembered(), 1u);
  CAF_CHECK(contains(at(-11), "nbf"));
  CAF_CHECK_EQUAL(at(69), "good");
  CAF_CHECK_EQUAL(at(70), "it has expired");
  CAF_CHECK_EQUAL(verifier.remembered(), 0u);
  CAF_CHECK_EQUAL(at(70), "it has expired");
  auto hour = token(claims(3600));
  CAF_CHECK(verifier.verify(hour, caller::way::token, now_ms));
  CAF_CHECK(!verifier.verify(hour, caller::way::query, now_ms)); // known, and still too long
}

CAF_TEST(rules come from the configuration) {
  auth_config cfg;
  cfg.audience = "a";
  cfg.leeway = 1s;
  cfg.token_lifetime_max = 2s;
  cfg.query_token_lifetime_max = 3s;
  auto rules = token_rules_of(cfg);
  CAF_CHECK_EQUAL(rules.audience, "a");
  CAF_CHECK(rules.leeway == 1s);
  CAF_CHECK(rules.lifetime_max == 2s);
  CAF_CHECK(rules.query_lifetime_max == 3s);
  CAF_CHECK(token_life_max(cfg) == 4s);
}

// -- A6: from whom and for whom ------------------------------------------------------------------

CAF_TEST(a token is for this broker) {
  token_rules rules;
  rules.audience = "tidings";
  auto x = verifier_of({shared_test_key(hs256).verifier()}, rules);
  auto with = [&](const std::string& more) {
    return verdict(x.verify(token(claims(60, 0, more)), caller::way::token, now_ms));
  };
  CAF_CHECK_EQUAL(with(R"("aud":"tidings")"), "good");
  CAF_CHECK_EQUAL(with(R"("aud":["shop","tidings"])"), "good");
  for (auto bad : {"", R"("aud":"shop")", R"("aud":[])", R"("aud":["shop"])", R"("aud":"Tidings")",
                   R"("aud":"tidings ")", R"("aud":"tidings,shop")"})
    CAF_CHECK_EQUAL(with(bad), "its aud does not name this broker");
  CAF_CHECK_EQUAL(check(claims(60, 0, R"("aud":"shop")")), "good"); // no audience is configured
}

CAF_TEST(a key speaks for its issuer only) {
  auto& a = shared_test_key(hs256);
  auto b = make_test_key(hs256);
  auto x = verifier_of({a.verifier("a", "https://a"), b.verifier("b", "https://b")});
  auto with = [&](const test_key& key, const std::string& more) {
    return verdict(
      x.verify(key.token(header_for(hs256), claims(60, 0, more)), caller::way::token, now_ms));
  };
  CAF_CHECK_EQUAL(with(a, R"("iss":"https://a")"), "good");
  CAF_CHECK_EQUAL(with(b, R"("iss":"https://b")"), "good");
  for (auto bad : {"", R"("iss":"https://b")", R"("iss":"https://a/")", R"("iss":"HTTPS://A")"})
    CAF_CHECK(contains(with(a, bad), "its iss"));
  CAF_CHECK(contains(with(b, R"("iss":"https://a")"), "its iss"));
  CAF_CHECK_EQUAL(check(claims(60, 0, R"("iss":"anybody")")), "good"); // the key is for any
}

// -- A8: one spelling ----------------------------------------------------------------------------

CAF_TEST(a token that is changed anywhere is refused) {
  for (auto algorithm : all_token_algorithms) {
    auto x = verifier_of({shared_test_key(algorithm).verifier()});
    auto text = token(claims(60), algorithm);
    CAF_REQUIRE_EQUAL(verdict(x.verify(text, caller::way::token, now_ms)), "good");
    for (size_t i = 0; i < text.size(); ++i)
      for (auto c : "AQgw_-=+/.\n"sv) {
        auto changed = text;
        changed[i] = c;
        auto inserted = text;
        inserted.insert(i, 1, c);
        for (auto& bad : {changed, inserted, text.substr(0, i)})
          if (bad != text && x.verify(bad, caller::way::token, now_ms))
            CAF_FAIL("taken although it was changed at " << i);
      }
    for (auto more : {"=", "==", ".", "A", "\n", " "})
      CAF_CHECK(!x.verify(text + more, caller::way::token, now_ms));
  }
}

CAF_TEST(signed nonsense is still nonsense) {
  auto& key = shared_test_key(hs256);
  for (auto& [header, body] : std::vector<std::pair<std::string, std::string>>{
         {header_for(hs256), R"({"exp":1900000060,"exp":1900000060})"},
         {header_for(hs256), "[]"},
         {header_for(hs256), ""},
         {header_for(hs256), token(claims(60))}, // nested
         {R"({"alg":"HS256","alg":"HS256","typ":"JWT"})", claims(60)},
         {R"({"alg":"HS256","typ":"JWT","crit":["exp"]})", claims(60)},
         {R"({"alg":"HS256","typ":"JWT","cty":"JWT"})", claims(60)},
         {R"({"alg":"HS256"})", claims(60)}})
    CAF_CHECK(!verifier.verify(key.token(header, body), caller::way::token, now_ms));
}

// -- A9: load ------------------------------------------------------------------------------------

CAF_TEST(a huge token costs nothing) {
  auto huge = token(claims(60)) + std::string(1024 * 1024, 'A');
  CAF_CHECK(
    contains(verdict(verifier.verify(huge, caller::way::token, now_ms)), "more than 8 KiB"));
}

CAF_TEST(only good tokens are remembered and not too many) {
  token_verifier small{key_ring{{shared_test_key(hs256).verifier()}}, {}, 80};
  for (int i = 0; i < 500; ++i) {
    auto good = token(claims(60, 0, "\"jti\":\"" + std::to_string(i) + '"'));
    CAF_CHECK(small.verify(good, caller::way::token, now_ms));
    auto bad = good;
    bad.back() = bad.back() == 'A' ? 'E' : 'A';
    CAF_CHECK(!small.verify(bad, caller::way::token, now_ms));
    CAF_CHECK(!small.verify(token(claims(-60, -120)), caller::way::token, now_ms));
  }
  CAF_CHECK_LESS_OR_EQUAL(small.remembered(), 80u);
  CAF_CHECK_GREATER(small.remembered(), 0u);
}

CAF_TEST(many threads may ask at once) {
  std::vector<std::string> tokens;
  for (int i = 0; i < 50; ++i)
    tokens.push_back(token(claims(60, 0, "\"jti\":\"" + std::to_string(i) + '"'), es256));
  token_verifier x{key_ring{{shared_test_key(es256).verifier()}}, {}, 16};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 400; ++i) {
        auto n = (i * 7 + t) % 50;
        auto who = x.verify(tokens[n], caller::way::token, now_ms);
        if (!who || who->token_id != std::to_string(n))
          ++wrong;
      }
    });
  for (auto& thread : threads)
    thread.join();
  CAF_CHECK_EQUAL(wrong.load(), 0);
}

// -- what is signed here -------------------------------------------------------------------------

CAF_TEST(tokens that are made here are good here) {
  for (auto algorithm : all_token_algorithms) {
    auto& key = shared_test_key(algorithm);
    token_claims body;
    body.issuer = "https://login.example";
    body.user = "alice";
    body.audience = {"tidings"};
    body.expires_at_ms = now_ms + 60'000;
    body.issued_at_ms = now_ms;
    body.id = random_token_id();
    std::vector<std::string> patterns{"a:*", "b"};
    body.publish = *topic_rights::parse(patterns);
    body.subscribe = topic_rights::all();
    body.admin = true;
    auto text = private_key::parse(key.secret_part, algorithm)->make_token(body, "k");
    CAF_REQUIRE(text);
    token_rules rules;
    rules.audience = "tidings";
    auto x = verifier_of({key.verifier("k", "https://login.example")}, rules);
    auto who = x.verify(*text, caller::way::token, now_ms);
    CAF_REQUIRE_EQUAL(verdict(who), "good");
    CAF_CHECK_EQUAL(who->user, "alice");
    CAF_CHECK_EQUAL(who->token_id, body.id);
    CAF_CHECK_EQUAL(who->publish.key(), body.publish.key());
    CAF_CHECK(who->subscribe.is_all());
    CAF_CHECK(who->admin);
  }
  CAF_CHECK_NOT_EQUAL(random_token_id(), random_token_id());
  CAF_CHECK_EQUAL(random_token_id().size(), 32u);
}

CAF_TEST_FIXTURE_SCOPE_END
()
