#define CAF_SUITE peer_feed

#include "cluster/peer_feed.hpp"

#include <caf/test/dsl.hpp>

#include <map>
#include <vector>

using namespace tidings;
using namespace tidings::cluster;

namespace {

replica record(uint64_t sequence, size_t bytes = 36) {
  return {{1, sequence}, {}, sequence, std::string(bytes, 'x')};
}

struct fixture {
  peer_feed feed;
  std::map<uint64_t, origin_position> heads;
  uint64_t last = 0;

  std::optional<action::read> next(uint64_t bytes_max = 1000) {
    auto on_disk = [this](uint64_t node) -> std::optional<origin_position> {
      auto i = heads.find(node);
      return i == heads.end() ? std::nullopt : std::optional{i->second};
    };
    return feed.next_read(on_disk, ticket{++last}, bytes_max);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(peer_feed_tests, fixture)

CAF_TEST(without a wish or credit nothing is read) {
  heads[5] = {1, 9};
  feed.add_credit(100);
  CAF_CHECK(!next());
  feed.want(5, {1, 9});
  CAF_CHECK(!next());
  feed.want(5, {1, 4});
  auto read = next();
  CAF_REQUIRE(read);
  CAF_CHECK(read->after == (origin_position{1, 4}));
  CAF_CHECK(read->up_to == (origin_position{1, 9}));
  CAF_CHECK_EQUAL(read->bytes_max, 100u);
  CAF_CHECK(!next()); // one at a time
  CAF_CHECK(feed.take({record(5)}, std::nullopt));
  CAF_CHECK_EQUAL(feed.credit(), 0);
  CAF_CHECK(!next());
  feed.add_credit(1);
  read = next();
  CAF_REQUIRE(read);
  CAF_CHECK(read->after == (origin_position{1, 5}));
  CAF_CHECK(feed.take({record(6)}, std::nullopt));
  CAF_CHECK_EQUAL(feed.credit(), -99); // one record may take more than there is
}

CAF_TEST(nodes take turns) {
  heads = {{5, {1, 9}}, {6, {1, 9}}, {7, {1, 0}}};
  feed.add_credit(1000);
  for (uint64_t node : {5, 6, 7})
    feed.want(node, {1, 0});
  std::vector<uint64_t> order;
  for (uint64_t i = 1; i <= 4; ++i) {
    auto read = next();
    CAF_REQUIRE(read);
    order.push_back(read->node);
    feed.take({record(read->after.sequence + 1)}, std::nullopt);
  }
  CAF_CHECK_EQUAL(order, (std::vector<uint64_t>{5, 6, 5, 6}));
}

CAF_TEST(what is not wanted any more is not sent) {
  heads[5] = {1, 9};
  feed.add_credit(1000);
  feed.want(5, {1, 4});
  next();
  feed.stop(5);
  CAF_CHECK(!feed.take({record(5)}, std::nullopt));
  feed.want(5, {1, 4});
  next();
  feed.want(5, {1, 4}); // asked again: what is being read may be what was lost
  CAF_CHECK(!feed.take({record(5)}, std::nullopt));
  CAF_CHECK_EQUAL(feed.credit(), 1000);
  CAF_CHECK(next());
}

CAF_TEST(what the peer has meanwhile is left out) {
  heads[5] = {1, 9};
  feed.add_credit(1000);
  feed.want(5, {1, 4});
  next();
  feed.skip_to(5, {1, 6});
  auto sent = feed.take({record(5), record(6), record(7)}, std::nullopt);
  CAF_REQUIRE(sent);
  CAF_CHECK_EQUAL(std::get<data>(*sent).records.size(), 1u);
  CAF_CHECK_EQUAL(feed.bytes_sent(), 100u);
}

CAF_TEST(a log that has nothing is asked again when there is more) {
  heads[5] = {1, 9};
  feed.add_credit(1000);
  feed.want(5, {1, 4});
  next();
  CAF_CHECK(!feed.take({}, std::nullopt));
  CAF_CHECK(!next());
  feed.wake(5);
  CAF_CHECK(next());
}

CAF_TEST(after what is forgotten it goes on) {
  heads[5] = {1, 9};
  feed.add_credit(1000);
  feed.want(5, {1, 4});
  next();
  auto sent = feed.take({}, origin_head{5, {1, 7}, 70});
  CAF_REQUIRE(sent);
  CAF_CHECK(std::get<forgotten>(*sent).up_to.at == (origin_position{1, 7}));
  auto read = next();
  CAF_REQUIRE(read);
  CAF_CHECK(read->after == (origin_position{1, 7}));
}

CAF_TEST_FIXTURE_SCOPE_END
()
