#define CAF_SUITE descriptors

#include "tidings/descriptors.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;

CAF_TEST(the store has its share however few there are) {
  for (uint64_t limit : {64u, 256u, 1024u, 20'000u, 1'048'576u}) {
    auto x = share_descriptors(limit);
    CAF_CHECK_LESS_OR_EQUAL(x.store_files + x.connections_max, limit);
    CAF_CHECK_GREATER_OR_EQUAL(x.store_files, limit < 2048 ? limit / 4 : 512);
    CAF_CHECK_GREATER_OR_EQUAL(x.connections_max, limit / 2);
    CAF_CHECK_GREATER_OR_EQUAL(limit - x.store_files - x.connections_max,
                               limit < 512 ? limit / 4 : 128);
  }
}

CAF_TEST(the soft limit is raised to the hard one) {
  auto raised = raise_descriptor_limit();
  CAF_CHECK_GREATER(raised, 0u);
  CAF_CHECK_EQUAL(raised, descriptor_limit());
}
