#define CAF_SUITE space_guard

#include "storage/space_guard.hpp"

#include "storage/store_fixture.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;
using namespace tidings::storage;
using namespace tidings::storage::testing;

namespace {

constexpr uint64_t mebibyte = 1024 * 1024;

struct fixture {
  manual_clock clock;
  disk_space disk{100'000 * mebibyte, 50'000 * mebibyte};
  int asked = 0;

  space_guard make(std::optional<uint64_t> reserve = std::nullopt) {
    storage_config x;
    x.reserve = reserve;
    return {x, clock, [this]() -> result<disk_space> {
              ++asked;
              return disk;
            }};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(space_guard_tests, fixture)

CAF_TEST(the reserve follows from disk and buffers unless it is set) {
  storage_config x;
  CAF_CHECK_EQUAL(reserve_of(x, disk), 5'000 * mebibyte);
  CAF_CHECK_EQUAL(reserve_of(x, {mebibyte, 0}), (2 * (64 + 128) + 512) * mebibyte);
  x.reserve = 7;
  CAF_CHECK_EQUAL(reserve_of(x, disk), 7u);
}

CAF_TEST(a disk below the reserve is full until there is space again) {
  auto guard = make();
  CAF_CHECK(!guard.check(false));
  disk.free = 4'999 * mebibyte;
  clock.advance(250);
  auto full = guard.check(false);
  CAF_REQUIRE(full.has_value());
  CAF_CHECK(full->code == errc::storage_full);
  disk.free = 5'000 * mebibyte;
  clock.advance(250);
  CAF_CHECK(!guard.check(false));
}

CAF_TEST(upkeep may use half of the reserve) {
  auto guard = make();
  disk.free = 2'500 * mebibyte;
  CAF_CHECK(guard.check(false).has_value());
  CAF_CHECK(!guard.check(true));
  disk.free = 2'499 * mebibyte;
  clock.advance(250);
  CAF_CHECK(guard.check(true).has_value());
}

CAF_TEST(the disk is looked at four times a second at most) {
  auto guard = make();
  for (int i = 0; i < 1000; ++i) {
    CAF_CHECK(!guard.check(false));
    clock.advance(1);
  }
  CAF_CHECK_EQUAL(asked, 4);
}

CAF_TEST(a start needs room for the log that it finds and not the whole reserve) {
  auto guard = make();
  disk.free = 100 * mebibyte;
  CAF_CHECK(!guard.check_start(0));
  CAF_CHECK(!guard.check_start(40 * mebibyte));
  auto full = guard.check_start(50 * mebibyte);
  CAF_REQUIRE(full.has_value());
  CAF_CHECK(full->code == errc::storage_full);
  CAF_CHECK(full->detail.find("free some space") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END
()
