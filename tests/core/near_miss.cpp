#define CAF_SUITE near_miss

#include "../../core/near_miss.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings;

const std::vector<std::string> keys{"log.level", "stream.retry-min", "stream.retry-max", "ttl"};

CAF_TEST(finds what was probably meant) {
  CAF_CHECK_EQUAL(did_you_mean("log.levle", keys), "; did you mean log.level?");
  CAF_CHECK_EQUAL(did_you_mean("stream.retrymax", keys), "; did you mean stream.retry-max?");
  CAF_CHECK_EQUAL(did_you_mean("stream.Retry_Max", keys), "; did you mean stream.retry-max?");
  CAF_CHECK_EQUAL(did_you_mean("server.level", keys), "; did you mean log.level?");
  CAF_CHECK_EQUAL(did_you_mean("tll", keys), "; did you mean ttl?");
}

CAF_TEST(stays silent when nothing is near) {
  for (auto text : {"", "x", "server.wibble", "log", "stream."})
    CAF_CHECK_EQUAL(did_you_mean(text, keys), "");
  CAF_CHECK_EQUAL(did_you_mean(std::string(1'000'000, 'x'), keys), "");
  CAF_CHECK_EQUAL(did_you_mean("log.level", {}), "");
}

} // namespace
