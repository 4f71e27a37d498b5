#define CAF_SUITE recovery

#include "storage/files.hpp"
#include "storage/identity_file.hpp"
#include "storage/rocksdb_event_store.hpp"
#include "storage/schema.hpp"
#include "storage/store_fixture.hpp"
#include "storage/watermark_file.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;
using namespace tidings::storage::testing;

namespace {

using positions = std::vector<uint64_t>;

struct fixture : store_fixture {
  bool refuses_with(errc code, std::string_view words) {
    auto opened = reopen();
    CAF_CHECK(!opened);
    if (opened)
      return false;
    CAF_MESSAGE(error.detail);
    CAF_CHECK(error.code == code);
    CAF_CHECK_NOT_EQUAL(error.detail.find(words), std::string::npos);
    return true;
  }

  bool salvage() {
    settings.recovery = recovery_mode::salvage;
    auto opened = reopen();
    settings.recovery = recovery_mode::strict;
    return opened;
  }

  void truncate(const fs::path& path, uintmax_t size) {
    fs::resize_file(path, size);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(recovery_tests, fixture)

CAF_TEST(a killed store has everything that was appended) {
  CAF_REQUIRE(open());
  fill(100, "t", false);
  crash();
  CAF_REQUIRE(open());
  CAF_CHECK_EQUAL(read({}).records.size(), 100u);
  CAF_CHECK(!fs::exists(directory() / "aside"));
}

CAF_TEST(a torn end of the log is cut off and nothing else) {
  CAF_REQUIRE(open());
  fill(20, "t", false);
  crash();
  auto wal = file(".log");
  auto image = temporary.path() / "torn";
  fs::copy(directory(), image, fs::copy_options::recursive);
  auto size = fs::file_size(wal);
  size_t before = 20;
  for (uintmax_t cut = 1; cut <= 400; cut += 37) {
    fs::remove_all(directory());
    fs::copy(image, directory(), fs::copy_options::recursive);
    truncate(file(".log"), size - cut);
    CAF_REQUIRE(open());
    auto seen = read({});
    CAF_CHECK_EQUAL(to_integer(store->last()), seen.records.size());
    CAF_CHECK(seen.records.size() < 20 && seen.records.size() <= before);
    before = seen.records.size();
    CAF_CHECK_EQUAL(append_one(*store, make_entry("t", "")).position, next(lsn{before}));
    // Whoever had seen the lost end is told.
    auto told = store->resolve(
      cursor{store->node().short_form(), {seen.records.front().origin.incarnation, 20}}, {});
    CAF_CHECK(told->gap == gap_reason::lost);
    CAF_CHECK_EQUAL(to_integer(told->after), before);
    close();
  }
}

CAF_TEST(a torn end takes events and their keys together) {
  CAF_REQUIRE(open());
  auto name = [](size_t i) { return "app:" + std::to_string(i); };
  for (size_t i = 0; i < 20; ++i) {
    auto x = make_entry("t", "x");
    x.key = name(i);
    append_one(*store, x, false);
  }
  crash();
  auto image = temporary.path() / "torn";
  fs::copy(directory(), image, fs::copy_options::recursive);
  auto size = fs::file_size(file(".log"));
  for (uintmax_t cut = 1; cut <= 600; cut += 41) {
    fs::remove_all(directory());
    fs::copy(image, directory(), fs::copy_options::recursive);
    truncate(file(".log"), size - cut);
    CAF_REQUIRE(open());
    auto last = to_integer(store->last());
    CAF_CHECK(last > 0 && last < 20);
    for (size_t i = 0; i < 20; ++i)
      CAF_CHECK_EQUAL(store->find_key(name(i), clock.wall)->has_value(), i < last);
    close();
  }
}

CAF_TEST(a deleted log is noticed and salvaged only on demand) {
  CAF_REQUIRE(open());
  fill(20);
  CAF_REQUIRE(!store->sync());
  auto lost = store->cursor_at(lsn{20});
  crash();
  fs::remove(file(".log"));
  CAF_REQUIRE(refuses_with(errc::storage_corrupt, "storage.recovery=salvage"));
  CAF_REQUIRE(
    refuses_with(errc::storage_corrupt, "position 20")); // again: nothing has changed that
  CAF_CHECK(fs::exists(directory() / "aside"));
  CAF_REQUIRE(salvage());
  CAF_CHECK(!fs::exists(directory() / "aside"));
  fill(1);
  auto found = store->resolve(lost, {});
  CAF_CHECK(found->gap == gap_reason::lost);
  CAF_REQUIRE(reopen()); // strict again
  auto all = read({});
  CAF_REQUIRE_EQUAL(all.missing.size(), 1u);
  CAF_CHECK(all.missing[0].reason == gap_reason::lost);
  CAF_CHECK(all.missing[0].topics.empty());
}

CAF_TEST(readers of any topic are told of a salvage in log order) {
  CAF_REQUIRE(open());
  fill(400, "a", false);
  fill(10, "b", false);
  close(); // all in the log file or in tables
  CAF_REQUIRE(open());
  fill(5, "a");
  CAF_REQUIRE(!store->sync());
  crash();
  fs::remove(file(".log"));
  CAF_REQUIRE(!open());
  CAF_REQUIRE(salvage());
  auto end = to_integer(store->last());
  CAF_CHECK_EQUAL(end, 411u);
  fill(500, "a", false);
  fill(1, "b", false);
  for (auto& who : {subscribe({"b"}), subscribe({"none"}), subscribe({"*"})}) {
    auto seen = read(who, 0);
    CAF_REQUIRE_EQUAL(seen.missing.size(), 1u);
    CAF_CHECK_EQUAL(seen.missing[0].position, end);
    CAF_CHECK(seen.missing[0].reason == gap_reason::lost);
    CAF_CHECK(read(who, end).missing.empty());
  }
}

CAF_TEST(a flipped bit in the log is refused) {
  CAF_REQUIRE(open());
  fill(50);
  crash();
  auto wal = file(".log");
  auto bytes = slurp(wal);
  for (auto part : {10u, 50u}) {
    auto damaged = bytes;
    damaged[damaged.size() * part / 100] ^= 0x10;
    spill(wal, damaged);
    CAF_REQUIRE(refuses_with(errc::storage_corrupt, "salvage"));
  }
  spill(wal, bytes);
  CAF_CHECK(open()); // the refusals have changed nothing
  CAF_CHECK_EQUAL(read({}).records.size(), 50u);
}

CAF_TEST(a salvage keeps what was before the damage) {
  CAF_REQUIRE(open());
  fill(50);
  CAF_REQUIRE(!store->sync());
  crash();
  auto wal = file(".log");
  auto bytes = slurp(wal);
  bytes[bytes.size() / 2] ^= 0x10;
  spill(wal, bytes);
  CAF_REQUIRE(!open());
  CAF_REQUIRE(salvage());
  auto seen = read({});
  CAF_CHECK(seen.records.size() > 10 && seen.records.size() < 40);
  CAF_REQUIRE_EQUAL(seen.missing.size(), 1u);
  CAF_CHECK_EQUAL(seen.missing[0].position, seen.records.size() + 1);
}

CAF_TEST(a database that is gone or shortened is noticed) {
  CAF_REQUIRE(open());
  fill(20);
  close();
  auto image = temporary.path() / "whole";
  fs::copy(directory(), image, fs::copy_options::recursive);
  auto restore = [&] {
    fs::remove_all(directory());
    fs::copy(image, directory(), fs::copy_options::recursive);
  };
  fs::remove(directory() / "CURRENT");
  CAF_CHECK(!reopen());
  restore();
  for (auto& x : fs::directory_iterator{directory()})
    if (x.path().filename().string().rfind("MANIFEST", 0) == 0)
      truncate(x.path(), fs::file_size(x.path()) / 2);
  if (reopen()) { // everything may still be in the log file
    CAF_CHECK_EQUAL(read({}).records.size(), 20u);
    CAF_CHECK_EQUAL(uint64_t{store->topics("", "", 10, clock.wall)->at(0).events}, 20u);
    close();
  }
  restore();
  for (auto& x : fs::directory_iterator{directory()})
    if (x.path().filename().string().rfind("tidings.", 0) != 0)
      fs::remove_all(x.path());
  CAF_CHECK(!reopen());
  restore();
  CAF_CHECK(reopen());
}

CAF_TEST(a restored backup uses no id again) {
  CAF_REQUIRE(open());
  fill(5);
  auto incarnation = store->incarnation();
  close();
  auto image = temporary.path() / "backup";
  fs::copy(directory(), image, fs::copy_options::recursive);
  clock.advance(minute_ms);
  CAF_REQUIRE(open());
  fill(5);
  auto later = store->cursor_at(lsn{10});
  CAF_CHECK_GREATER(store->incarnation(), incarnation);
  auto second = store->incarnation();
  close();
  clock.advance(minute_ms);
  fs::remove_all(directory());
  fs::rename(image, directory());
  CAF_REQUIRE(open());
  CAF_CHECK_GREATER(store->incarnation(), second);
  CAF_CHECK(store->resolve(later, {})->gap == gap_reason::lost);
}

CAF_TEST(what is no store of ours is left alone) {
  fs::create_directories(directory());
  spill(directory() / "precious.txt", "x");
  CAF_CHECK(!open());
  CAF_CHECK(error.detail.find("nothing has been changed") != std::string::npos);
  CAF_CHECK_EQUAL(slurp(directory() / "precious.txt"), "x");
  CAF_CHECK(!fs::exists(directory() / "tidings.store"));
}

CAF_TEST(a first start that was cut short is repeated) {
  fs::create_directories(directory());
  auto node = storage::make_node_id();
  CAF_REQUIRE(!storage::save_identity(settings.directory, {*node, storage::schema_version, false}));
  CAF_REQUIRE(open());
  CAF_CHECK(store->node() == *node);
  CAF_REQUIRE(reopen());
}

CAF_TEST(a newer store is refused and not touched) {
  CAF_REQUIRE(open());
  fill(1);
  auto node = store->node();
  close();
  CAF_REQUIRE(!storage::save_identity(settings.directory, {node, 99, true}));
  auto before = slurp(file("CURRENT"));
  CAF_REQUIRE(refuses_with(errc::storage_unavailable, "newer version"));
  CAF_CHECK_EQUAL(slurp(file("CURRENT")), before);
}

CAF_TEST(an older store is migrated step by step) {
  CAF_REQUIRE(open());
  fill(1);
  close();
  auto found = storage::load_identity(settings.directory);
  CAF_REQUIRE(found && *found);
  auto old = **found;
  old.schema = storage::schema_version - 2;
  CAF_REQUIRE(!storage::save_identity(settings.directory, old));
  std::vector<int> ran;
  storage::schema next;
  next.version = storage::schema_version;
  next.migrations = {{old.schema,
                      [&](storage::database&) -> status {
                        ran.push_back(1);
                        return {};
                      }},
                     {old.schema + 1, [&](storage::database&) -> status {
                        ran.push_back(2);
                        return failure{errc::storage_full, "half way"};
                      }}};
  auto x = storage::rocksdb_event_store::open(settings, mailboxes, clock, next);
  CAF_REQUIRE(!x);
  CAF_CHECK_EQUAL(x.error().detail, "half way");
  auto reached = storage::load_identity(settings.directory);
  CAF_REQUIRE(reached && *reached);
  CAF_CHECK_EQUAL((*reached)->schema, old.schema + 1);
  next.migrations[1].run = [&](storage::database&) -> status {
    ran.push_back(2);
    return {};
  };
  x = storage::rocksdb_event_store::open(settings, mailboxes, clock, next);
  CAF_REQUIRE(static_cast<bool>(x));
  CAF_CHECK_EQUAL(ran, (std::vector<int>{1, 2, 2}));
  storage::schema distant;
  distant.version = 99;
  x->reset();
  x = storage::rocksdb_event_store::open(settings, mailboxes, clock, distant);
  CAF_REQUIRE(!x);
  CAF_CHECK(x.error().detail.find("cannot upgrade") != std::string::npos);
}

CAF_TEST(a damaged witness is refused and replaced by a salvage) {
  CAF_REQUIRE(open());
  fill(3);
  close();
  auto bytes = slurp(directory() / "tidings.watermark");
  bytes[30] ^= 1;
  spill(directory() / "tidings.watermark", bytes);
  CAF_REQUIRE(refuses_with(errc::storage_corrupt, "tidings.watermark is damaged"));
  CAF_REQUIRE(salvage());
  CAF_REQUIRE(reopen());
  CAF_CHECK_EQUAL(read({}).records.size(), 3u);
}

CAF_TEST_FIXTURE_SCOPE_END
()
