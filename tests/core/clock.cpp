#define CAF_SUITE clock

#include "tidings/clock.hpp"

#include <caf/test/dsl.hpp>

#include <random>

namespace {

using namespace tidings;

constexpr int64_t second = 1000;
constexpr int64_t minute = 60 * second;
constexpr int64_t hour = 60 * minute;
constexpr int64_t day = 24 * hour;
constexpr int64_t today = 1'795'241'968'123;

class manual_clock : public clock_source {
public:
  int64_t wall_ms() const override {
    return wall;
  }

  int64_t steady_ms() const override {
    return steady;
  }

  void pass(int64_t ms) {
    wall += ms;
    steady += ms;
  }

  int64_t wall = today;
  int64_t steady = 5 * hour;
};

struct fixture {
  manual_clock time;

  /// Lets time pass as a busy broker does: with a look at the clock every minute.
  void live(const guarded_clock& clock, int64_t ms) {
    for (; ms > 0; ms -= minute) {
      time.pass(std::min(ms, minute));
      clock.read_now_ms();
      clock.delete_now_ms();
    }
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(clock_tests, fixture)

CAF_TEST(the system clocks go forward) {
  auto& source = system_clock_source();
  CAF_CHECK_GREATER(source.wall_ms(), 1'700'000'000'000);
  auto before = source.steady_ms();
  CAF_CHECK_GREATER(before, 0);
  CAF_CHECK_GREATER_OR_EQUAL(source.steady_ms(), before);
}

CAF_TEST(a small step back is not followed and a large one is) {
  forward_clock clock{time};
  CAF_CHECK_EQUAL(clock.wall_ms(), today);
  time.wall -= guarded_clock::tolerance_ms;
  CAF_CHECK_EQUAL(clock.wall_ms(), today);
  time.pass(minute);
  CAF_CHECK_EQUAL(clock.wall_ms(), today);
  time.pass(5 * minute);
  CAF_CHECK_EQUAL(clock.wall_ms(), today + minute);
  time.wall -= guarded_clock::tolerance_ms + 1;
  CAF_CHECK_EQUAL(clock.wall_ms(), time.wall);
  CAF_CHECK_EQUAL(clock.steady_ms(), time.steady);
}

CAF_TEST(what is in doubt is said) {
  guarded_clock clock{time, today};
  CAF_CHECK(clock.doubt() == guarded_clock::doubts::none);
  time.wall += hour;
  CAF_CHECK(clock.doubt() == guarded_clock::doubts::ahead);
  time.wall -= 2 * hour;
  CAF_CHECK(clock.doubt() == guarded_clock::doubts::behind);
  time.wall += hour;
  CAF_CHECK(clock.doubt() == guarded_clock::doubts::none);
}

CAF_TEST(a new store takes the wall clock as it is) {
  guarded_clock clock{time, 0};
  CAF_CHECK_EQUAL(clock.read_now_ms(), today);
  CAF_CHECK_EQUAL(clock.delete_now_ms(), today);
  CAF_CHECK_EQUAL(clock.trusted_ms(), today);
  CAF_CHECK(!clock.frozen());
}

CAF_TEST(a clock that is right is followed for ever) {
  guarded_clock clock{time, today - minute};
  for (int i = 0; i < 100; ++i) {
    live(clock, 7 * hour);
    CAF_REQUIRE_EQUAL(clock.read_now_ms(), time.wall);
    CAF_REQUIRE_EQUAL(clock.delete_now_ms(), time.wall);
    CAF_REQUIRE_EQUAL(clock.trusted_ms(), time.wall);
    CAF_REQUIRE(!clock.frozen());
  }
}

CAF_TEST(small corrections never freeze the clock) {
  guarded_clock clock{time, today};
  for (int i = 0; i < 1000; ++i) {
    time.wall += 13 * second;
    CAF_REQUIRE(!clock.frozen());
    live(clock, hour + 7 * minute);
    CAF_REQUIRE_EQUAL(clock.delete_now_ms(), time.wall);
  }
}

CAF_TEST(what is hidden stays hidden when the clock is set back a little) {
  guarded_clock clock{time, 0};
  live(clock, hour);
  auto before = clock.read_now_ms();
  time.wall -= 5 * minute;
  CAF_CHECK_EQUAL(clock.read_now_ms(), before);
  CAF_CHECK_EQUAL(clock.delete_now_ms(), before - 5 * minute);
  time.pass(4 * minute);
  CAF_CHECK_EQUAL(clock.read_now_ms(), before);
  time.pass(2 * minute);
  CAF_CHECK_EQUAL(clock.read_now_ms(), before + minute);
}

CAF_TEST(what may have been destroyed is hidden although nobody had looked) {
  guarded_clock clock{time, 0};
  clock.delete_now_ms();
  time.wall -= minute;
  CAF_CHECK_EQUAL(clock.read_now_ms(), today);
}

CAF_TEST(a jump forward hides and does not destroy) {
  guarded_clock clock{time, today};
  time.wall += 2 * hour;
  CAF_CHECK(clock.frozen());
  CAF_CHECK_EQUAL(clock.read_now_ms(), today + 2 * hour);
  CAF_CHECK_EQUAL(clock.delete_now_ms(), today + guarded_clock::tolerance_ms);
  CAF_CHECK_EQUAL(clock.trusted_ms(), today);
  live(clock, hour);
  CAF_CHECK(clock.frozen());
  CAF_CHECK_EQUAL(clock.read_now_ms(), today + 3 * hour);
  CAF_CHECK_EQUAL(clock.delete_now_ms(), today + hour + guarded_clock::tolerance_ms);
  CAF_CHECK_EQUAL(clock.trusted_ms(), today + hour);
}

CAF_TEST(a jump forward that is taken back hides nothing for long) {
  guarded_clock clock{time, today};
  time.wall += 2 * hour;
  live(clock, hour);
  time.wall -= 2 * hour;
  CAF_CHECK(!clock.frozen());
  // What may have been destroyed meanwhile stays hidden.
  CAF_CHECK_EQUAL(clock.read_now_ms(), today + hour + guarded_clock::tolerance_ms);
  CAF_CHECK_EQUAL(clock.delete_now_ms(), today + hour);
  CAF_CHECK_EQUAL(clock.trusted_ms(), today + hour);
  live(clock, 10 * minute);
  CAF_CHECK_EQUAL(clock.read_now_ms(), time.wall);
}

CAF_TEST(a glimpse of a far future does no harm) {
  guarded_clock clock{time, today};
  time.wall += 27'000 * day;
  CAF_CHECK_EQUAL(clock.read_now_ms(), today + 27'000 * day);
  clock.delete_now_ms();
  time.wall -= 27'000 * day;
  CAF_CHECK_LESS_OR_EQUAL(clock.read_now_ms(), today + guarded_clock::tolerance_ms);
  CAF_CHECK_EQUAL(clock.trusted_ms(), today);
}

CAF_TEST(after a long downtime deletion waits until the clock has settled) {
  guarded_clock clock{time, today - 10 * day};
  CAF_CHECK_EQUAL(clock.read_now_ms(), today);
  CAF_CHECK(clock.frozen());
  CAF_CHECK_EQUAL(clock.delete_now_ms(), today - 10 * day + guarded_clock::tolerance_ms);
  live(clock, day - minute);
  CAF_CHECK(clock.frozen());
  CAF_CHECK_EQUAL(clock.trusted_ms(), time.wall - 10 * day);
  live(clock, minute);
  CAF_CHECK(!clock.frozen());
  CAF_CHECK_EQUAL(clock.delete_now_ms(), time.wall);
  CAF_CHECK_EQUAL(clock.trusted_ms(), time.wall);
}

CAF_TEST(a short downtime is no jump) {
  guarded_clock clock{time, today - 5 * minute};
  CAF_CHECK(!clock.frozen());
  CAF_CHECK_EQUAL(clock.delete_now_ms(), today);
  CAF_CHECK_EQUAL(clock.trusted_ms(), today);
}

CAF_TEST(the 24 hours begin with the last jump) {
  guarded_clock clock{time, today};
  time.wall += 2 * hour;
  live(clock, 20 * hour);
  time.wall += hour;
  CAF_CHECK(clock.frozen());
  live(clock, day - minute);
  CAF_CHECK(clock.frozen());
  live(clock, minute);
  CAF_CHECK(!clock.frozen());
}

CAF_TEST(a clock that runs away is never trusted) {
  guarded_clock clock{time, today};
  for (int i = 0; i < 3 * 24 * 60; ++i) {
    time.wall += minute; // twice as fast as it should
    live(clock, minute);
  }
  CAF_CHECK(clock.frozen());
  CAF_CHECK_EQUAL(clock.delete_now_ms(), today + 3 * day + guarded_clock::tolerance_ms);
}

CAF_TEST(a jump that nobody saw come is not trusted when somebody looks) {
  guarded_clock clock{time, today};
  time.pass(3 * day);
  time.wall += 2 * hour;
  CAF_CHECK_EQUAL(clock.delete_now_ms(), today + 3 * day + guarded_clock::tolerance_ms);
  CAF_CHECK(clock.frozen());
}

CAF_TEST(an operator ends the wait) {
  guarded_clock clock{time, today - 10 * day};
  CAF_CHECK(clock.frozen());
  clock.confirm();
  CAF_CHECK(!clock.frozen());
  CAF_CHECK_EQUAL(clock.delete_now_ms(), today);
  CAF_CHECK_EQUAL(clock.trusted_ms(), today);
}

CAF_TEST(a clock in 1970 at start brings nothing back and destroys nothing) {
  time.wall = 42 * second;
  guarded_clock clock{time, today};
  CAF_CHECK(!clock.frozen());
  CAF_CHECK_EQUAL(clock.read_now_ms(), today);
  CAF_CHECK_EQUAL(clock.delete_now_ms(), 42 * second);
  CAF_CHECK_EQUAL(clock.trusted_ms(), today); // worth more than what the clock says
  live(clock, 3 * minute);
  CAF_CHECK_EQUAL(clock.read_now_ms(), today);
  CAF_CHECK_EQUAL(clock.trusted_ms(), today + 3 * minute);
  // The network tells the time.
  time.wall = today + 4 * minute;
  CAF_CHECK(!clock.frozen());
  CAF_CHECK_EQUAL(clock.read_now_ms(), today + 4 * minute);
  CAF_CHECK_EQUAL(clock.delete_now_ms(), today + 4 * minute);
}

CAF_TEST(a new store in 1970 waits when the time is found) {
  time.wall = 42 * second;
  guarded_clock clock{time, 0};
  time.wall = today;
  CAF_CHECK(clock.frozen());
  CAF_CHECK_EQUAL(clock.read_now_ms(), today);
  CAF_CHECK_EQUAL(clock.delete_now_ms(), 42 * second + guarded_clock::tolerance_ms);
  live(clock, day);
  CAF_CHECK(!clock.frozen());
}

CAF_TEST(a wrong future that had been trusted is left behind) {
  auto wrong = today + 700 * day;
  guarded_clock clock{time, wrong};
  CAF_CHECK_EQUAL(clock.read_now_ms(), wrong); // may have been destroyed up to there
  CAF_CHECK_EQUAL(clock.delete_now_ms(), today);
  live(clock, day);
  CAF_CHECK_EQUAL(clock.read_now_ms(), time.wall);
  CAF_CHECK_EQUAL(clock.delete_now_ms(), time.wall);
  CAF_CHECK_EQUAL(clock.trusted_ms(), time.wall);
}

CAF_TEST(an operator can leave a wrong future at once) {
  guarded_clock clock{time, today + 700 * day};
  clock.confirm();
  CAF_CHECK_EQUAL(clock.read_now_ms(), today);
  CAF_CHECK_EQUAL(clock.trusted_ms(), today);
}

CAF_TEST(quick restarts do not add up to trust) {
  // The clock is two hours ahead, the broker is started again every ten seconds.
  auto persisted = today;
  time.wall += 2 * hour;
  for (int i = 0; i < 1000; ++i) {
    guarded_clock clock{time, persisted};
    time.pass(10 * second);
    CAF_REQUIRE(clock.frozen());
    persisted = clock.trusted_ms();
  }
  CAF_CHECK_EQUAL(persisted, today + 10'000 * second);
}

CAF_TEST(whatever the clock does its promises hold) {
  std::mt19937_64 random{20261121};
  for (int round = 0; round < 200; ++round) {
    time = {};
    auto truth = today; // the wall clock is this plus an error
    guarded_clock clock{time, today};
    int64_t largest_delete = 0;
    int64_t jumped = 0; // when
    for (int step = 0; step < 500; ++step) {
      auto ms = static_cast<int64_t>(random() % hour);
      time.pass(ms);
      truth += ms;
      auto before = time.wall;
      if (random() % 40 == 0)
        time.wall = truth + (random() % 2 ? static_cast<int64_t>(random() % 480) - 240 : 0) * hour;
      if (time.wall != before)
        jumped = time.steady;
      auto read = clock.read_now_ms();
      auto remove = clock.delete_now_ms();
      largest_delete = std::max(largest_delete, remove);
      CAF_REQUIRE_LESS_OR_EQUAL(remove, time.wall);
      CAF_REQUIRE_GREATER_OR_EQUAL(read, time.wall);
      CAF_REQUIRE_GREATER_OR_EQUAL(clock.read_now_ms(), remove);
      CAF_REQUIRE_EQUAL(clock.frozen(),
                        clock.trusted_ms() + guarded_clock::tolerance_ms < time.wall);
      if (time.steady - jumped >= day)
        largest_delete = 0; // a time that settled is trusted, right or wrong
      CAF_REQUIRE_GREATER_OR_EQUAL(read, largest_delete);
      if (time.steady - jumped > day + hour) {
        CAF_REQUIRE(!clock.frozen());
        CAF_REQUIRE_EQUAL(remove, time.wall);
      }
    }
  }
}

CAF_TEST_FIXTURE_SCOPE_END
()
