// Bytes of a connection through the request rules and Beast. How they are cut into segments must
// not matter: else a proxy and we could disagree about where a request ends.

#include "fuzz/fuzz.hpp"
#include "support/receive_request.hpp"

void tidings::fuzz::run(std::string_view input) {
  if (input.empty())
    return;
  auto step = size_t{1} + static_cast<uint8_t>(input.front()) % 16;
  std::string bytes{input.substr(1)};
  auto whole = test::receive(bytes, bytes.size());
  auto pieces = test::receive(bytes, step);
  require(whole.accepted == pieces.accepted, "accepted whole or in pieces, and not both");
  require(whole.accepted || (!whole.why.empty() && !pieces.why.empty()), "no reason is given");
  if (!whole.accepted)
    return;
  require(whole.body == pieces.body, "two bodies");
  require(whole.left_over == pieces.left_over, "the next request begins at two places");
  require(whole.injected == pieces.injected, "a field is there or not");
}
