#define CAF_SUITE worker

#include "http/io/worker.hpp"

#include "actors/shard/shard.hpp"
#include "tidings/clock.hpp"
#include "tidings/config.hpp"
#include "tidings/statistics.hpp"

#include <boost/asio/post.hpp>
#include <caf/all.hpp>
#include <caf/test/dsl.hpp>

#include <future>
#include <thread>

using namespace tidings;

namespace {

struct fixture {
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
  http::worker uut{sys};

  fixture() {
    shard_environment env;
    env.cfg = std::make_shared<config>();
    env.stats = std::make_shared<statistics>();
    env.clock = &system_clock_source();
    uut.set_shard(std::make_shared<shard>(std::move(env)));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(worker_tests, fixture)

CAF_TEST(ends when a tick is due at the same time) {
  uut.start();
  std::promise<void> stopping;
  boost::asio::post(uut.context(), [&] {
    // Until the timer has expired, and the end is asked for: both are to be found together.
    auto due = std::chrono::steady_clock::now() + 2 * shard::tick_interval;
    stopping.get_future().wait();
    std::this_thread::sleep_until(due);
  });
  stopping.set_value();
  uut.stop();
  CAF_CHECK(uut.context().stopped());
}

CAF_TEST_FIXTURE_SCOPE_END
()
