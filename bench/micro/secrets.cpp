// Whether the time of a refusal tells how nearly a secret was guessed: wrong guesses that begin
// like the right one against guesses that do not, in turns, and a second kind of the latter to show
// what the machine's noise makes of no difference at all.

#include "identity/api_keys.hpp"
#include "identity/private_key.hpp"
#include "identity/token_verifier.hpp"
#include "measure.hpp"
#include "tidings/text.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

using namespace tidings;

namespace {

double median(std::vector<double>& xs) {
  std::nth_element(xs.begin(), xs.begin() + static_cast<ptrdiff_t>(xs.size() / 2), xs.end());
  return xs[xs.size() / 2];
}

/// @param guess is called with how many leading bytes are right: all but one, none, none
void compare(const char* name, const std::function<void(size_t)>& guess) {
  using clock = std::chrono::steady_clock;
  constexpr auto rounds = 40'000;
  std::vector<double> ns[3];
  for (int i = 0; i < rounds; ++i)
    for (size_t kind = 0; kind < 3; ++kind) {
      auto chosen = (kind + static_cast<size_t>(i)) % 3; // so that none is always the first
      auto begin = clock::now();
      guess(chosen);
      std::chrono::duration<double, std::nano> took = clock::now() - begin;
      ns[chosen].push_back(took.count());
    }
  auto near = median(ns[0]), far = median(ns[1]), again = median(ns[2]);
  std::printf(
    "%-28s nearly right %8.1f ns  wrong %8.1f ns  wrong again %8.1f ns  difference %+.2f %%, "
    "of noise %+.2f %%\n",
    name, near, far, again, (near / far - 1) * 100, (again / far - 1) * 100);
}

} // namespace

int main() {
  const std::string key = "shop-0123456789abcdef0123456789abcdef";
  auth_api_key entry;
  entry.name = "shop";
  entry.sha256 = api_key_hash(key);
  auto keys = api_keys::make({entry});
  if (!keys)
    return 1;
  std::string keys_tried[] = {key, key, key};
  keys_tried[0].back() ^= 1;
  for (auto& c : keys_tried[1])
    c ^= 1;
  for (auto& c : keys_tried[2])
    c ^= 2;
  compare("API key", [&](size_t i) { bench::keep(keys->identify(keys_tried[i])); });

  const std::string secret = "a secret of more than thirty-two bytes, for HS256";
  token_verifier verifier{
    key_ring{*verification_key::parse(secret, token_algorithm::hs256, "k", "")}, token_rules{}, 16};
  auto signer = private_key::parse(secret, token_algorithm::hs256);
  auto token = *signer->make_token(R"({"alg":"HS256","typ":"JWT"})", R"({"exp":1795242300})");
  auto cut = token.rfind('.') + 1;
  auto signature = *signer->sign(token.substr(0, cut - 1));
  std::string tokens[3];
  for (size_t i = 0; i < 3; ++i) {
    auto wrong = signature;
    if (i == 0)
      wrong.back() ^= 1;
    else
      for (auto& c : wrong)
        c ^= static_cast<char>(i);
    tokens[i] = token.substr(0, cut);
    append_base64url(tokens[i], wrong);
  }
  compare("signature of HS256", [&](size_t i) {
    bench::keep(verifier.verify(tokens[i], caller::way::token, 1'795'242'000'000));
  });
}
