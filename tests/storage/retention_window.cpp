#define CAF_SUITE retention_window

#include "storage/retention_window.hpp"

#include <caf/test/dsl.hpp>

#include <vector>

using namespace tidings;
using namespace tidings::storage;

namespace {

struct fixture {
  retention_window window;
  uint64_t position = 0;

  void add(uint64_t bytes = 1, int64_t expires_at_ms = 0) {
    window.add_newest({lsn{++position}, expires_at_ms, bytes});
  }

  std::vector<uint64_t> trim(topic_retention bound, int64_t now_ms = 0) {
    std::vector<uint64_t> evicted;
    window.trim(bound, now_ms, [&](lsn x) { evicted.push_back(to_integer(x)); });
    return evicted;
  }
};

using list = std::vector<uint64_t>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(retention_window_tests, fixture)

CAF_TEST(the oldest go when there are too many) {
  for (int i = 0; i < 5; ++i)
    add();
  CAF_CHECK_EQUAL(trim({5, 0}), (list{}));
  CAF_CHECK_EQUAL(trim({3, 0}), (list{1, 2}));
  CAF_CHECK_EQUAL(window.events(), 3u);
  CAF_CHECK_EQUAL(to_integer(window.oldest()), 3u);
}

CAF_TEST(the oldest go when they are too large and the newest stays) {
  add(10);
  add(10);
  add(25);
  CAF_CHECK_EQUAL(trim({0, 40}), (list{1}));
  CAF_CHECK_EQUAL(window.bytes(), 35u);
  CAF_CHECK_EQUAL(trim({0, 5}), (list{2}));
  CAF_CHECK_EQUAL(window.events(), 1u);
}

CAF_TEST(what has expired makes room and is not evicted) {
  add(1);
  add(1, 100);
  add(1, 50);
  add(1);
  CAF_CHECK_EQUAL(trim({3, 0}, 60), (list{}));
  CAF_CHECK_EQUAL(window.events(), 3u);
  add();
  CAF_CHECK_EQUAL(trim({3, 0}, 60), (list{1}));
  add();
  CAF_CHECK_EQUAL(trim({3, 0}, 100), (list{}));
}

CAF_TEST(a window filled from the index is the same) {
  window.add_oldest({lsn{9}, 0, 1});
  window.add_oldest({lsn{7}, 0, 1});
  CAF_CHECK_EQUAL(trim({1, 0}), (list{7}));
}

CAF_TEST(a large window of mixed times is searched seldom) {
  for (int i = 0; i < 100'000; ++i)
    add(1, i % 2 ? 0 : 1'000 + i);
  size_t evicted = 0;
  for (int i = 0; i < 100'000; ++i) {
    add(1, i % 2 ? 0 : 200'000 + i);
    evicted += trim({100'000, 0}, 1'000 + i).size();
  }
  CAF_CHECK_GREATER(evicted, 10'000u);
  CAF_CHECK_LESS(evicted, 60'000u);
}

CAF_TEST_FIXTURE_SCOPE_END
()
