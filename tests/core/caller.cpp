#define CAF_SUITE caller

#include "tidings/caller.hpp"

#include <caf/test/dsl.hpp>

#include <set>
#include <string>

namespace {

using namespace tidings;

CAF_TEST(a caller is nobody and may do nothing at first) {
  caller x;
  CAF_CHECK(x.how == caller::way::nobody);
  CAF_CHECK(x.user.empty());
  CAF_CHECK(!x.admin);
  CAF_CHECK(!x.publish.permits("a"));
  CAF_CHECK(!x.subscribe.permits("a"));
  CAF_CHECK_EQUAL(x.expires_at_ms, 0);
}

CAF_TEST(every way has a name of its own) {
  std::set<std::string> names;
  for (auto x : {caller::way::nobody, caller::way::open, caller::way::token, caller::way::cookie,
                 caller::way::query, caller::way::proxy, caller::way::api_key})
    names.insert(to_string(x));
  CAF_CHECK_EQUAL(names.size(), 7u);
  CAF_CHECK_EQUAL(names.count("unknown"), 0u);
}

} // namespace
