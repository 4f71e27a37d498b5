#define CAF_SUITE store_reader

#include "storage/store_reader.hpp"

#include "storage/maintenance.hpp"
#include "storage/store_fixture.hpp"
#include "storage/store_opening.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>

using namespace tidings;
using namespace tidings::storage;
using namespace tidings::storage::testing;

namespace {

/// What the store is measured against: everything in memory, nothing clever.
class model {
public:
  struct entry {
    std::vector<std::string> topics;
    std::set<std::string> released;
    int64_t expires_at_ms = 0;
    uint64_t bytes = 0;
    std::string data;
  };

  static topic_retention bound_of(const std::string& topic) {
    if (topic == "t0")
      return {3, 0};
    if (topic == "t1")
      return {7, 0};
    if (topic == "t2")
      return {0, 60};
    return {};
  }

  void append(const event& x, int64_t now_ms) {
    entries_.push_back({x.topics, {}, x.expires_at_ms, x.data.size() + x.type.size(), x.data});
    for (auto& topic : x.topics)
      trim(topic, now_ms);
  }

  uint64_t last() const {
    return entries_.size();
  }

  const entry& at(uint64_t position) const {
    return entries_[position - 1];
  }

  bool is_expired(uint64_t position, int64_t now_ms) const {
    auto at_ms = at(position).expires_at_ms;
    return at_ms != 0 && at_ms <= now_ms;
  }

  uint64_t floor(const std::string& topic) const {
    auto i = floors_.find(topic);
    return i == floors_.end() ? 0 : i->second;
  }

  recorder read(const subscription& who, uint64_t after, uint64_t until, bool reverse,
                int64_t now_ms, uint64_t forgotten) const {
    recorder to;
    for (auto position = after + 1; position <= std::min(until, last()); ++position) {
      auto& x = at(position);
      auto held = false;
      auto matches = false;
      for (auto& topic : x.topics)
        if (who.matches(topic)) {
          matches = true;
          held = held || x.released.count(topic) == 0;
        }
      if (!matches)
        continue;
      if (held && !is_expired(position, now_ms))
        to.records.push_back({position, {}, x.topics, x.data});
      else if (position > forgotten)
        to.missing.push_back(
          {position, held ? gap_reason::expired : gap_reason::evicted, x.topics});
    }
    if (reverse) {
      std::reverse(to.records.begin(), to.records.end());
      std::reverse(to.missing.begin(), to.missing.end());
    }
    return to;
  }

private:
  void trim(const std::string& topic, int64_t now_ms) {
    auto bound = bound_of(topic);
    std::vector<uint64_t> live;
    uint64_t bytes = 0;
    for (uint64_t i = 1; i <= last(); ++i)
      if (std::count(at(i).topics.begin(), at(i).topics.end(), topic) != 0
          && at(i).released.count(topic) == 0 && !is_expired(i, now_ms)) {
        live.push_back(i);
        bytes += at(i).bytes;
      }
    for (size_t i = 0; i + 1 < live.size(); ++i) {
      auto left = live.size() - i;
      if ((bound.events_max == 0 || left <= bound.events_max)
          && (bound.bytes_max == 0 || bytes <= bound.bytes_max))
        break;
      bytes -= at(live[i]).bytes;
      entries_[live[i] - 1].released.insert(topic);
      for (auto& x : at(live[i]).topics)
        if (at(live[i]).released.size() == at(live[i]).topics.size())
          floors_[x] = std::max(floors_[x], live[i]);
    }
  }

  std::vector<entry> entries_;
  std::map<std::string, uint64_t> floors_;
};

/// A store with its insides in reach.
struct fixture : store_fixture {
  std::unique_ptr<opened_store> opened;
  std::unique_ptr<log_writer> writer;
  std::unique_ptr<mailbox_index> entries;
  std::unique_ptr<store_reader> reader;
  std::unique_ptr<maintenance> background;

  void start() {
    background.reset();
    reader.reset();
    entries.reset();
    writer.reset();
    opened.reset();
    auto x = open_store(settings, mailboxes, clock, current_schema());
    if (!x)
      throw std::runtime_error(x.error().detail);
    opened = std::make_unique<opened_store>(std::move(*x));
    writer =
      std::make_unique<log_writer>(*opened->db, *opened->heads, *opened->index, *opened->clock,
                                   log_writer::settings{opened->incarnation, 1000}, opened->end);
    entries = std::make_unique<mailbox_index>(*opened->db, opened->expiry->keep_read_ms);
    reader =
      std::make_unique<store_reader>(*opened->db, *opened->heads, opened->expiry->floor, *entries);
    background = std::make_unique<maintenance>(
      *opened->db, *opened->expiry, *opened->index, [this] { return writer->last(); },
      maintenance::settings{});
  }

  /// Reads in pieces until the end.
  recorder read_all(read_request what, store_reader::path by, std::mt19937_64& random) {
    recorder all;
    for (;;) {
      recorder piece;
      what.scan_max = 1 + random() % 50;
      if (random() % 2)
        piece.stop_after = 1 + random() % 10;
      auto outcome = reader->read(what, piece, writer->last(), by);
      if (!outcome)
        throw std::runtime_error(outcome.error().detail);
      all.records.insert(all.records.end(), piece.records.begin(), piece.records.end());
      all.missing.insert(all.missing.end(), piece.missing.begin(), piece.missing.end());
      if (outcome->end_reached)
        return all;
      if (what.reverse)
        what.until = lsn{to_integer(outcome->covered) - 1};
      else
        what.after = outcome->covered;
    }
  }
};

std::string random_topic(std::mt19937_64& random) {
  return "t" + std::to_string(random() % 8);
}

void check_same_records(const recorder& x, const recorder& expected) {
  CAF_CHECK_EQUAL(x.positions(), expected.positions());
  auto n = std::min(x.records.size(), expected.records.size());
  for (size_t i = 0; i < n; ++i)
    if (x.records[i].data != expected.records[i].data
        || x.records[i].topics != expected.records[i].topics)
      CAF_ERROR("wrong record at " << x.records[i].position);
}

void run(fixture& f, uint64_t seed) {
  std::mt19937_64 random{seed};
  model expected;
  f.start();
  for (int step = 0; step < 300; ++step) {
    auto dice = random() % 100;
    if (dice < 70) {
      std::vector<log_entry> batch(1 + random() % 12);
      for (auto& x : batch) {
        std::set<std::string> topics{random_topic(random)};
        while (random() % 4 == 0)
          topics.insert(random_topic(random));
        auto& content = x.content.content;
        content.topics.assign(topics.begin(), topics.end());
        std::shuffle(content.topics.begin(), content.topics.end(), random);
        content.data = std::to_string(random() % 1'000'000'000);
        if (random() % 3 == 0)
          content.expires_at_ms = f.clock.wall + 1 + static_cast<int64_t>(random() % (2 * hour_ms));
        for (auto& topic : content.topics)
          x.retention.push_back(model::bound_of(topic));
      }
      for (auto& x : batch)
        expected.append(x.content.content, f.clock.wall);
      if (auto failed = f.writer->append(batch, false))
        CAF_FAIL(failed->detail);
      CAF_REQUIRE_EQUAL(to_integer(f.writer->last()), expected.last());
    } else if (dice < 80) {
      f.clock.advance(static_cast<int64_t>(random() % (20 * minute_ms)));
    } else if (dice < 85) {
      CAF_REQUIRE(!f.background->compact_everything());
    } else if (dice < 88) {
      CAF_REQUIRE(!f.background->raise_floor());
    } else if (dice < 90) {
      f.start();
    } else {
      std::vector<topic_pattern> patterns;
      for (auto n = 1 + random() % 3; n > 0; --n)
        patterns.push_back(*topic_pattern::parse(random_topic(random)));
      subscription exact{patterns};
      patterns.push_back(*topic_pattern::parse("*"));
      subscription all{patterns};
      read_request what;
      what.after = lsn{random() % (expected.last() + 1)};
      what.until = random() % 2 ? lsn{UINT64_MAX} : lsn{random() % (expected.last() + 1)};
      what.now_ms = f.clock.wall;
      what.reverse = random() % 2;
      auto forgotten = to_integer(f.opened->expiry->floor.persisted());
      for (auto who : {&exact, &all}) {
        what.who = who;
        auto right = expected.read(*who, to_integer(what.after), to_integer(what.until),
                                   what.reverse, what.now_ms, forgotten);
        auto scanned = f.read_all(what, store_reader::path::scan, random);
        check_same_records(scanned, right);
        CAF_CHECK_EQUAL(scanned.missing_positions(), right.missing_positions());
        CAF_CHECK(scanned.missing == right.missing);
        if (who == &all)
          continue;
        auto walked = f.read_all(what, store_reader::path::topics, random);
        check_same_records(walked, right);
        // The index may sum up what a topic has evicted in its last one.
        for (auto& x : right.missing) {
          if (std::count(walked.missing.begin(), walked.missing.end(), x) == 1)
            continue;
          for (auto& topic : x.topics)
            if (who->matches(topic)) {
              auto floor = expected.floor(topic);
              CAF_CHECK(floor > x.position);
              auto told = walked.missing_positions();
              CAF_CHECK(floor <= forgotten || std::count(told.begin(), told.end(), floor) == 1);
            }
        }
        for (auto& x : walked.missing)
          CAF_CHECK_EQUAL(std::count(right.missing.begin(), right.missing.end(), x), 1);
        CAF_CHECK(walked.missing.size() <= right.missing.size());
      }
    }
  }
}

} // namespace

CAF_TEST(both ways of reading agree with the model after any history) {
  // More of them: TIDINGS_TEST_SEEDS=1000
  auto wanted = std::getenv("TIDINGS_TEST_SEEDS");
  auto seeds = wanted ? std::strtoull(wanted, nullptr, 10) : 6;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    CAF_MESSAGE("seed " << seed);
    fixture f;
    f.settings.gap_memory = milliseconds{hour_ms};
    run(f, seed);
  }
}

CAF_TEST(a log that its index does not follow is refused) {
  fixture f;
  f.start();
  std::vector<log_entry> batch{make_entry("t", "1"), make_entry("t", "2")};
  CAF_REQUIRE(!f.writer->append(batch, true));
  rocksdb::WriteBatch damage;
  std::string key;
  encode_topic_key(key, "t", lsn{1});
  damage.Delete(f.opened->db->at(family::topic), key);
  CAF_REQUIRE(!f.opened->db->write(damage, true));
  std::string why;
  try {
    f.start();
  } catch (const std::runtime_error& x) {
    why = x.what();
  }
  CAF_CHECK(why.find("position 1 is not in it") != std::string::npos);
}

CAF_TEST(after a failure nothing is written any more) {
  fixture f;
  f.start();
  CAF_REQUIRE(f.opened->db->give_up({errc::storage_unavailable, "the disk is gone"}).has_value());
  std::vector<log_entry> batch{make_entry("t", "1")};
  auto refused = f.writer->append(batch, true);
  CAF_REQUIRE(refused.has_value());
  CAF_CHECK(refused->code == errc::storage_unavailable);
  CAF_CHECK(refused->detail.find("the disk is gone") != std::string::npos);
  CAF_CHECK(f.opened->db->sync().has_value());
  CAF_CHECK_EQUAL(to_integer(f.writer->last()), 0u);
}
