#define CAF_SUITE origin_intake

#include "cluster/origin_intake.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;
using namespace tidings::cluster;

namespace {

constexpr uint64_t node = 7;

origin_head head(uint64_t incarnation, uint64_t sequence, uint64_t chain = 1) {
  return {node, {incarnation, sequence}, chain};
}

replica record(origin_position at, origin_position follows = {}, uint64_t chain = 1) {
  return {at, follows, chain, "x"};
}

} // namespace

CAF_TEST(a record fits or says why not ) {
  origin_intake x{head(2, 5)};
  CAF_CHECK(x.judge(record({2, 4})) == fit::known);
  CAF_CHECK(x.judge(record({2, 5})) == fit::known);
  CAF_CHECK(x.judge(record({2, 5}, {}, 9)) == fit::fork);
  CAF_CHECK(x.judge(record({2, 5}, {}, 0)) == fit::known); // not known what it was
  CAF_CHECK(x.judge(record({1, 99})) == fit::known);
  CAF_CHECK(x.judge(record({2, 6})) == fit::next);
  CAF_CHECK(x.judge(record({2, 7})) == fit::hole);
  CAF_CHECK(x.judge(record({3, 1}, {2, 5})) == fit::next);
  CAF_CHECK(x.judge(record({3, 1}, {2, 6})) == fit::hole);
  CAF_CHECK(x.judge(record({3, 1}, {2, 4})) == fit::late_tail);
  CAF_CHECK(x.judge(record({3, 2}, {2, 5})) == fit::hole);
}

CAF_TEST(who has nothing takes the first record of all) {
  origin_intake x{head(0, 0, 0)};
  CAF_CHECK(x.judge(record({4, 1})) == fit::next);
  CAF_CHECK(x.judge(record({4, 2})) == fit::hole);
  CAF_CHECK(x.judge(record({4, 1}, {3, 1})) == fit::hole);
}

CAF_TEST(what comes continues what the store has been given) {
  origin_intake x{head(2, 5)};
  x.accept(head(2, 6));
  x.begin();
  CAF_CHECK(x.judge(record({2, 7})) == fit::next);
  x.accept(head(2, 7));
  x.begin();
  x.set_head(head(2, 6));
  CAF_CHECK(!x.end(false));
  CAF_CHECK(x.accepted().at == (origin_position{2, 7}));
  CAF_CHECK(x.busy());
}

CAF_TEST(after a refusal nothing is taken until the store has answered for all) {
  origin_intake x{head(2, 5)};
  x.accept(head(2, 6));
  x.begin();
  x.accept(head(2, 7));
  x.begin();
  CAF_CHECK(!x.end(true));
  CAF_CHECK(!x.open());
  CAF_CHECK(x.end(true));
  CAF_CHECK(x.open());
  CAF_CHECK(x.accepted().at == (origin_position{2, 5}));
}

CAF_TEST(what has been superseded is not taken again) {
  origin_intake x{head(2, 5)};
  x.supersede({2, 5}, 4);
  CAF_CHECK(x.judge(record({2, 6})) == fit::known);
  CAF_CHECK(x.judge(record({3, 1}, {2, 5})) == fit::known);
  CAF_CHECK(x.judge(record({4, 1}, {2, 5})) == fit::next);
}
