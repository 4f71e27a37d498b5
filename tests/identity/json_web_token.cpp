#define CAF_SUITE json_web_token

#include "identity/json_web_token.hpp"

#include "identity/private_key.hpp"
#include "tidings/text.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings;
using namespace std::literals;

std::string encoded(std::string_view text) {
  std::string out;
  append_base64url(out, text);
  return out;
}

/// A token with a header, a body and some signature.
std::string with_header(std::string_view header) {
  return encoded(header) + '.' + encoded("{}") + '.' + encoded("signature");
}

std::string header_problem(std::string_view header) {
  auto x = json_web_token::parse(with_header(header));
  if (x)
    return {};
  CAF_CHECK(x.error().code == errc::unauthorized);
  return x.error().detail;
}

std::string claims_problem(std::string_view claims) {
  auto x = token_claims::parse(claims);
  if (x)
    return {};
  CAF_CHECK(x.error().code == errc::unauthorized);
  return x.error().detail;
}

/// Claims that are good but for what is added.
std::string claims_problem_with(std::string_view member) {
  return claims_problem(R"({"exp":2000000000,)" + std::string{member} + '}');
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr auto good_header = R"({"alg":"EdDSA","typ":"JWT"})";

// -- the compact form ----------------------------------------------------------------------------

CAF_TEST(takes a token apart) {
  auto text = with_header(R"({"alg":"ES256","typ":"at+jwt","kid":"2026-11"})");
  auto x = json_web_token::parse(text);
  CAF_REQUIRE(x);
  CAF_CHECK(x->algorithm == token_algorithm::es256);
  CAF_CHECK_EQUAL(x->key_id.value_or(""), "2026-11");
  CAF_CHECK_EQUAL(std::string{x->signed_text}, text.substr(0, text.rfind('.')));
  CAF_CHECK_EQUAL(x->claims, "{}");
  CAF_CHECK_EQUAL(x->signature, "signature");
}

CAF_TEST(a token has exactly three parts) {
  auto header = encoded(good_header);
  for (auto& bad :
       {""s, "."s, ".."s, "..."s, header, header + ".e30", header + ".e30.c2ln.c2ln",
        header + ".e30.c2ln.c2ln.c2ln", header + ".e30.c2ln.", "." + header + ".e30.c2ln"})
    CAF_CHECK(!json_web_token::parse(bad));
  CAF_CHECK(json_web_token::parse(header + ".e30.c2ln"));
}

CAF_TEST(base64url has one spelling) {
  auto header = encoded(good_header);
  auto good = header + ".e30.c2ln"; // {} and sig
  CAF_REQUIRE(json_web_token::parse(good));
  for (auto& bad : {header + "=.e30.c2ln", header + ".e30=.c2ln", header + ".e30.c2ln=",
                    header + ".e31.c2ln",     // trailing bits
                    header + ".e30.c2lnA",    // a lone digit
                    header + ".e30.+_8",      // both alphabets
                    header + ".e30.//8",      // the other alphabet
                    header + ".e30.c2 ln",    //
                    header + ".e30.c2ln\n",   //
                    header + ".e30.c2\r\nln", //
                    header + ".e30.c2ln\0"s, header + ".e30.c2%6Cn", ' ' + good, good + ' '})
    CAF_CHECK(!json_web_token::parse(bad));
}

CAF_TEST(the length counts before anything else) {
  auto header = encoded(good_header);
  auto fill = [&](size_t length) {
    auto text = header + ".e30.";
    return text + std::string(length - text.size(), 'A');
  };
  CAF_CHECK(json_web_token::parse(fill(token_bytes_max)));
  for (auto length : {token_bytes_max + 1, size_t{1024 * 1024}}) {
    auto x = json_web_token::parse(fill(length));
    CAF_REQUIRE(!x);
    CAF_CHECK(contains(x.error().detail, "8 KiB"));
  }
}

// -- the header ----------------------------------------------------------------------------------

CAF_TEST(there is no algorithm but four) {
  for (auto good : {"HS256", "RS256", "ES256", "EdDSA"})
    CAF_CHECK_EQUAL(header_problem(R"({"typ":"JWT","alg":")"s + good + "\"}"), "");
  for (auto bad :
       {"none",  "None",     "NONE",         "nOnE",    "",      " ",      "hs256", "HS256 ",
        "HS384", "HS512",    "RS512",        "PS256",   "ES384", "ES256K", "EDDSA", "Ed25519",
        "dir",   "RSA-OAEP", "HS256\\u0000", "../HS256"})
    CAF_CHECK(
      contains(header_problem(R"({"typ":"JWT","alg":")"s + bad + "\"}"), "its alg is none"));
  for (auto bad : {R"({"typ":"JWT"})", R"({"typ":"JWT","alg":null})", R"({"typ":"JWT","alg":1})",
                   R"({"typ":"JWT","alg":["HS256"]})", R"({"typ":"JWT","ALG":"HS256"})"})
    CAF_CHECK(contains(header_problem(bad), "no alg"));
}

CAF_TEST(only access tokens are taken) {
  for (auto good : {"JWT", "jwt", "Jwt", "at+jwt", "AT+JWT", "application/jwt",
                    "application/at+jwt", "APPLICATION/JWT"})
    CAF_CHECK_EQUAL(header_problem(R"({"alg":"HS256","typ":")"s + good + "\"}"), "");
  for (auto bad : {"", "JWS", "JOSE", "id+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "JWT ",
                   "text/jwt", "application/application/jwt", "at+jwt2"})
    CAF_CHECK(contains(header_problem(R"({"alg":"HS256","typ":")"s + bad + "\"}"), "its typ"));
  CAF_CHECK(contains(header_problem(R"({"alg":"HS256"})"), "its typ"));
  CAF_CHECK(contains(header_problem(R"({"alg":"HS256","typ":["JWT"]})"), "its typ"));
}

CAF_TEST(extensions that have to be understood are refused) {
  for (auto member : {R"("crit":["b64"],"b64":false)", R"("crit":[])", R"("crit":null)"})
    CAF_CHECK(contains(header_problem(R"({"alg":"HS256","typ":"JWT",)"s + member + '}'), "crit"));
  for (auto member : {R"("cty":"JWT")", R"("enc":"A128GCM")", R"("zip":"DEF")"})
    CAF_CHECK(contains(header_problem(R"({"alg":"HS256","typ":"JWT",)"s + member + '}'), "nested"));
}

CAF_TEST(what a header says about keys is not read) {
  auto text = with_header(R"({"alg":"HS256","typ":"JWT","jku":"http://127.0.0.1:1/keys",)"
                          R"("x5u":"file:///etc/passwd","jwk":{"kty":"oct","k":"AA"},)"
                          R"("x5c":["AA"],"x5t":7})");
  auto x = json_web_token::parse(text);
  CAF_REQUIRE(x);
  CAF_CHECK(!x->key_id);
}

CAF_TEST(a kid is a text) {
  auto with = [](const std::string& kid) {
    return header_problem(R"({"alg":"HS256","typ":"JWT","kid":)" + kid + '}');
  };
  CAF_CHECK_EQUAL(with("\"../../dev/null\""), "");
  CAF_CHECK_EQUAL(with("\"' OR 1=1 --\\u0000\""), "");
  CAF_CHECK_EQUAL(with('"' + std::string(512, 'k') + '"'), "");
  CAF_CHECK(contains(with('"' + std::string(513, 'k') + '"'), "its kid"));
  for (auto bad : {"1", "null", "{}", "[\"a\"]"})
    CAF_CHECK(contains(with(bad), "its kid"));
}

CAF_TEST(a header is one object that names nothing twice) {
  for (auto bad :
       {"", "[]", "null", "\"a\"", "{", "{}{}", "{} x", "\xef\xbb\xbf{}", R"({"alg":"HS256",})",
        R"({'alg':'HS256'})", R"({"alg":NaN})", "{\"a\":\"\xff\"}", R"({"a":/**/1})"}) {
    CAF_CHECK(contains(header_problem(bad), "is not"));
  }
  for (auto bad : {R"({"alg":"HS256","typ":"JWT","alg":"none"})",
                   R"({"alg":"HS256","typ":"JWT","\u0061lg":"HS256"})",
                   R"({"alg":"HS256","typ":"JWT","x":[{"a":{"b":1,"b":1}}]})"})
    CAF_CHECK(contains(header_problem(bad), "names a member twice"));
  CAF_CHECK_EQUAL(
    header_problem(R"({"alg":"HS256","typ":"JWT","x":[{"a":1},{"a":1}],"y":{"a":1}})"), "");
}

CAF_TEST(nesting is bounded) {
  auto nested = [](size_t arrays) {
    return header_problem(R"({"alg":"HS256","typ":"JWT","x":)" + std::string(arrays, '[')
                          + std::string(arrays, ']') + '}');
  };
  CAF_CHECK_EQUAL(nested(7), "");
  CAF_CHECK(contains(nested(8), "nested too deeply"));
  CAF_CHECK(contains(nested(2000), "nested too deeply"));
}

// -- the claims ----------------------------------------------------------------------------------

CAF_TEST(reads all claims) {
  auto x = token_claims::parse(R"({"iss":"https://login.example","sub":"alice","aud":["a","b"],
    "exp":2000000000,"nbf":1999990000,"iat":1999990000.5,"jti":"t1","other":{"x":[1]},
    "tidings":{"publish":["order:*"],"subscribe":["**"],"admin":true}})");
  CAF_REQUIRE(x);
  CAF_CHECK_EQUAL(x->issuer, "https://login.example");
  CAF_CHECK_EQUAL(x->user, "alice");
  CAF_CHECK((x->audience == std::vector<std::string>{"a", "b"}));
  CAF_CHECK_EQUAL(x->expires_at_ms, 2'000'000'000'000);
  CAF_CHECK(x->not_before_ms == 1'999'990'000'000);
  CAF_CHECK(x->issued_at_ms == 1'999'990'000'500);
  CAF_CHECK_EQUAL(x->id, "t1");
  CAF_CHECK(x->publish.permits("order:1"));
  CAF_CHECK(!x->publish.permits("order"));
  CAF_CHECK(x->subscribe.is_all());
  CAF_CHECK(x->admin);
}

CAF_TEST(what is not claimed is not granted) {
  auto x = token_claims::parse(R"({"exp":2000000000})");
  CAF_REQUIRE(x);
  CAF_CHECK(x->user.empty() && x->issuer.empty() && x->audience.empty() && x->id.empty());
  CAF_CHECK(!x->not_before_ms && !x->issued_at_ms);
  CAF_CHECK(x->publish.patterns().empty() && x->subscribe.patterns().empty());
  CAF_CHECK(!x->admin);
}

CAF_TEST(times are numbers of this age) {
  CAF_CHECK(contains(claims_problem("{}"), "no exp"));
  for (auto good : {"0", "1", "2000000000", "2e9", "1999999999.999", "253402300799"})
    CAF_CHECK_EQUAL(claims_problem(R"({"exp":)"s + good + '}'), "");
  for (auto bad : {"\"2000000000\"", "null", "true", "[2000000000]", "{}", "-1", "-0.5", "1e400",
                   "-1e400", "1e300", "253402300800", "18446744073709551615",
                   "99999999999999999999999", "9223372036854775808"})
    for (auto name : {"exp", "nbf", "iat"})
      CAF_CHECK_NOT_EQUAL(claims_problem(R"({"x":1,")"s + name + "\":" + bad
                                         + (name == "exp"s ? "}" : ",\"exp\":2000000000}")),
                          "");
  for (auto bad : {"NaN", "Infinity", "0x10", "01", "+1", "1."})
    CAF_CHECK(contains(claims_problem(R"({"exp":)"s + bad + '}'), "is not JSON"));
}

CAF_TEST(a subject can be a user) {
  auto user = [](const std::string& sub) {
    auto x = token_claims::parse(R"({"exp":2000000000,"sub":)" + sub + '}');
    return x ? x->user : "refused";
  };
  CAF_CHECK_EQUAL(user("\"alice\""), "alice");
  CAF_CHECK_EQUAL(user("4711"), "4711");
  CAF_CHECK_EQUAL(user("-5"), "-5");
  CAF_CHECK_EQUAL(user("18446744073709551615"), "18446744073709551615");
  for (auto bad :
       {"\"\"", "\"me\"", "\"a,b\"", "\"*\"", "\"a:*\"", "\"a\\u0000b\"", "\"a\\nb\"", "\"a \"",
        "\"a#b\"", "1.5", "1e3", "18446744073709551616", "null", "true", "[]", "{\"a\":1}"})
    CAF_CHECK_EQUAL(user(bad), "refused");
  CAF_CHECK_EQUAL(user('"' + std::string(129, 'u') + '"'), "refused");
}

CAF_TEST(texts are texts) {
  for (auto name : {"iss", "jti"}) {
    for (auto bad : {"1", "null", "[]", "[\"a\"]", "\"\""})
      CAF_CHECK(contains(claims_problem_with("\""s + name + "\":" + bad), name));
    CAF_CHECK(
      contains(claims_problem_with("\""s + name + "\":\"" + std::string(513, 'x') + '"'), name));
  }
  for (auto bad : {"1", "null", "{}", "[1]", "[\"a\",null]", "\"\"", "[\"\"]", "[[\"a\"]]"})
    CAF_CHECK(contains(claims_problem_with("\"aud\":"s + bad), "its aud"));
  CAF_CHECK_EQUAL(claims_problem_with(R"("aud":[])"), "");
}

CAF_TEST(rights are lists of patterns and nothing else) {
  auto with = [](const std::string& value) { return claims_problem_with("\"tidings\":" + value); };
  CAF_CHECK_EQUAL(with("{}"), "");
  for (auto bad : {"[]", "null", "\"**\"", "true"})
    CAF_CHECK(contains(with(bad), "its tidings is not an object"));
  for (auto bad : {R"({"pubish":[]})", R"({"Publish":["**"]})", R"({"publish":[],"x":1})"})
    CAF_CHECK(contains(with(bad), "beside publish"));
  for (auto bad : {R"("**")", "null", "{}", "[1]", "[null]", R"([["**"]])"})
    for (auto name : {"publish", "subscribe"})
      CAF_CHECK(contains(with("{\""s + name + "\":" + bad + '}'), "is not a list of texts"));
  for (auto bad : {"", "a**", "a*b", "**:a", "a?", "a#", "a,b", " a", "a\\n", "a/../b"})
    CAF_CHECK(contains(with(R"({"publish":[")"s + bad + "\"]}"), "holds no pattern"));
  for (auto bad : {"1", "\"true\"", "null", "[]"})
    CAF_CHECK(contains(with("{\"admin\":"s + bad + '}'), "its tidings.admin"));
}

CAF_TEST(the number of patterns and their length are bounded) {
  auto list = [](size_t n) {
    std::string text = R"({"subscribe":["x0")";
    for (size_t i = 1; i < n; ++i)
      text += ",\"x" + std::to_string(i) + '"';
    return claims_problem_with("\"tidings\":" + text + "]}");
  };
  CAF_CHECK_EQUAL(list(token_patterns_max), "");
  CAF_CHECK(contains(list(token_patterns_max + 1), "more than 100 patterns"));
  CAF_CHECK(
    contains(claims_problem_with(R"("tidings":{"subscribe":[")" + std::string(257, 'x') + "\"]}"),
             "holds no pattern"));
}

CAF_TEST(claims are one object that names nothing twice) {
  for (auto bad : {R"({"exp":2000000000,"exp":1})", R"({"exp":2000000000,"sub":"a","sub":"b"})",
                   R"({"exp":2000000000,"tidings":{"admin":false,"admin":true}})",
                   R"({"exp":2000000000,"x":{"y":[{"z":1,"z":2}]}})"})
    CAF_CHECK(contains(claims_problem(bad), "names a member twice"));
  for (auto bad : {"", "[]", "2000000000", "{\"exp\":2000000000"})
    CAF_CHECK(contains(claims_problem(bad), "is not"));
}

CAF_TEST(no detail holds what the token holds) {
  for (auto& text :
       {claims_problem(R"({"exp":2000000000,"sub":"s3cret*"})"),
        claims_problem(R"({"exp":2000000000,"tidings":{"publish":["s3cret**"]}})"),
        claims_problem(R"({"exp":2000000000,"tidings":{"s3cret":1}})"),
        claims_problem(R"({"exp":"s3cret"})"), claims_problem(R"({"s3cret":1,"s3cret":1})"),
        claims_problem("s3cret"), header_problem(R"({"alg":"s3cret","typ":"JWT"})"),
        header_problem(R"({"alg":"HS256","typ":"s3cret"})")}) {
    CAF_CHECK_NOT_EQUAL(text, "");
    CAF_CHECK(!contains(text, "s3cret"));
  }
}

} // namespace
