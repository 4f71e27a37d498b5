#define CAF_SUITE stream_census

#include "http/stream_census.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <thread>

namespace {

using namespace tidings::http;

using places = std::vector<std::shared_ptr<stream_census::place>>;
using ids = std::vector<uint64_t>;

/// Opens streams 1, 2, … of one key.
places fill(stream_census& x, const std::string& key, uint32_t count) {
  places taken;
  for (uint32_t i = 1; i <= count; ++i) {
    taken.push_back(x.enter(key, 0, false).taken);
    taken.back()->settle(i);
  }
  return taken;
}

CAF_TEST(without a bound everybody gets in) {
  auto x = std::make_shared<stream_census>();
  CAF_CHECK_EQUAL(fill(*x, "a", 1000).size(), 1000u);
}

CAF_TEST(one too many is refused until one leaves) {
  auto x = std::make_shared<stream_census>();
  auto taken = fill(*x, "a", 3);
  CAF_CHECK(!x->enter("a", 3, false).taken);
  CAF_CHECK(x->enter("b", 3, false).taken); // others are not concerned
  taken.pop_back();
  auto again = x->enter("a", 3, false);
  CAF_CHECK(again.taken);
  CAF_CHECK(again.replaced.empty());
  CAF_CHECK(!x->enter("a", 3, false).taken);
}

CAF_TEST(the oldest makes room) {
  auto x = std::make_shared<stream_census>();
  auto taken = fill(*x, "a", 3);
  auto fourth = x->enter("a", 3, true);
  CAF_CHECK(fourth.taken);
  CAF_CHECK(fourth.replaced == ids{1});
  taken.erase(taken.begin());
  fourth.taken->settle(4);
  CAF_CHECK((x->enter("a", 2, true).replaced == ids{2, 3})); // the bound has shrunk
}

CAF_TEST(who is not settled yet cannot make room) {
  auto x = std::make_shared<stream_census>();
  auto first = x->enter("a", 2, true).taken;
  auto second = x->enter("a", 2, true).taken;
  second->settle(2);
  auto third = x->enter("a", 2, true);
  CAF_CHECK(third.taken);
  CAF_CHECK(third.replaced == ids{2});
}

CAF_TEST(places outlive the owner of the census) {
  auto x = std::make_shared<stream_census>();
  auto taken = fill(*x, "a", 2);
  x.reset();
  taken.clear();
}

CAF_TEST(threads never get in beyond the bound) {
  auto x = std::make_shared<stream_census>();
  std::atomic<int> inside{0};
  std::atomic<int> beyond{0};
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        auto got = x->enter("a", 3, false);
        if (!got.taken)
          continue;
        ++admitted;
        if (++inside > 3)
          ++beyond;
        --inside; // before the place is given back
      }
    });
  for (auto& thread : threads)
    thread.join();
  CAF_CHECK_EQUAL(beyond.load(), 0);
  CAF_CHECK(admitted.load() >= 2000);
}

} // namespace
