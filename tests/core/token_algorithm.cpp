#define CAF_SUITE token_algorithm

#include "tidings/token_algorithm.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings;

CAF_TEST(names read back and nothing else does) {
  for (auto x : {token_algorithm::hs256, token_algorithm::rs256, token_algorithm::es256,
                 token_algorithm::eddsa})
    CAF_CHECK(parse_token_algorithm(to_string(x)) == x);
  for (auto bad : {"", "none", "None", "hs256", "HS256 ", "HS512", "EDDSA", "EdDSA\n"})
    CAF_CHECK(!parse_token_algorithm(bad));
}

} // namespace
