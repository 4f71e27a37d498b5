#define CAF_SUITE log_reader

#include "actors/storage/log_reader.hpp"

#include "support/fake_store.hpp"

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

using namespace tidings;

namespace {

/// Each read comes to its bound of work at the next position.
struct slow_store : fake_store {
  result<read_outcome> read(const read_request& what, record_visitor& to) const override {
    auto x = what;
    if (x.reverse) {
      auto until = std::min(to_integer(x.until), records.size());
      return read_outcome{lsn{until}, until == to_integer(x.after) + 1};
    }
    x.until = next(x.after);
    auto outcome = fake_store::read(x, to);
    outcome->end_reached = outcome->covered >= last();
    return outcome;
  }
};

struct fixture {
  fixture() {
    for (int i = 0; i < 50; ++i)
      publish("other", "");
  }

  void publish(std::string topic, std::string data) {
    log_entry x;
    x.content.content.topics = {std::move(topic)};
    x.content.content.data = std::move(data);
    CAF_REQUIRE(!store.append({&x, 1}, false));
  }

  page read(page_request x) {
    x.who = std::make_shared<subscription>(std::vector{*topic_pattern::parse("t")});
    auto found = log_reader{store}.read_page(x, store.now_ms);
    CAF_REQUIRE(static_cast<bool>(found));
    return std::move(*found);
  }

  slow_store store;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(log_reader_tests, fixture)

CAF_TEST(a page that is cut short says that there may be more) {
  publish("t", "far away");
  page_request what;
  for (int pages = 1;; ++pages) {
    auto found = read(what);
    auto json = nlohmann::json::parse(found.json);
    if (pages < 3) {
      CAF_CHECK_EQUAL(json["events"].size(), 0u);
      CAF_REQUIRE(json["more"].get<bool>());
      what.since = from_cursor{json["next"].get<std::string>()};
      continue;
    }
    CAF_CHECK(!json["more"].get<bool>());
    CAF_REQUIRE_EQUAL(json["events"].size(), 1u);
    CAF_CHECK_EQUAL(json["events"][0]["data"], "far away");
    break;
  }
}

CAF_TEST(a page that goes back says so too) {
  page_request what;
  what.reverse = true;
  CAF_CHECK(nlohmann::json::parse(read(what).json)["more"].get<bool>());
  what.until = start_point{lsn{18}};
  CAF_CHECK(!nlohmann::json::parse(read(what).json)["more"].get<bool>());
}

CAF_TEST(a page that goes on keeps what was seen elsewhere and tells of what is missing) {
  auto begin = store.last();
  log_entry brief;
  brief.content.content.topics = {"t"};
  brief.content.content.expires_at_ms = store.now_ms;
  CAF_REQUIRE(!store.append({&brief, 1}, false));
  publish("t", "kept");
  page_request what;
  what.since = begin;
  CAF_CHECK(nlohmann::json::parse(read(what).json)["gap"].is_null()); // it began there
  what.goes_on = true;
  what.seen = std::make_shared<const cursor>(cursor{99, {1, 7}});
  auto found = read(what);
  auto json = nlohmann::json::parse(found.json);
  CAF_CHECK(found.has_gap);
  CAF_CHECK_EQUAL(json["gap"]["reason"], "expired");
  CAF_CHECK_EQUAL(json["gap"]["from"].get<std::string>().substr(0, 3), "c1.");
  auto next = cursor::parse(json["next"].get<std::string>());
  CAF_REQUIRE(next);
  CAF_CHECK(next->covers(*what.seen));
  CAF_CHECK(found.seen == what.seen);
}

CAF_TEST_FIXTURE_SCOPE_END
()
