#include "storage/rocksdb_event_store.hpp"

#include "storage/evidence.hpp"
#include "storage/keys.hpp"
#include "storage/maintenance.hpp"
#include "storage/store_opening.hpp"
#include "storage/store_reader.hpp"
#include "storage/topic_listing.hpp"
#include "storage/witness.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>

namespace tidings::storage {

struct rocksdb_event_store::impl {
  std::string directory;
  bool is_member;
  opened_store store;
  witness mark;
  log_writer writer;
  mailbox_index mailboxes;
  store_reader reader;
  guarded_clock::doubts clock_doubt = guarded_clock::doubts::none;
  maintenance background;

  impl(const storage_config& settings, opened_store&& x)
    : directory(settings.directory),
      is_member(settings.is_member),
      store(std::move(x)),
      mark(settings.directory, store.incarnation, *store.clock),
      writer(*store.db, *store.heads, *store.index, *store.clock,
             {store.incarnation, settings.idempotency_window.count()}, store.end),
      mailboxes(*store.db, store.expiry->keep_read_ms),
      reader(*store.db, *store.heads, store.expiry->floor, mailboxes),
      background(*store.db, *store.expiry, *store.index, [this] { return writer.last(); },
                 {.compaction_interval = settings.compaction_interval}) {
    // nop
  }

  /// Says it once when the clock is in doubt, and when it is not any more.
  void watch_clock() {
    auto doubt = store.clock->doubt();
    if (std::exchange(clock_doubt, doubt) == doubt)
      return;
    if (doubt == guarded_clock::doubts::ahead)
      spdlog::warn(
        "the clock of this machine is ahead of what it should be after the last stop, or "
        "has jumped: nothing is deleted for its age until it has kept pace for 24 hours");
    else if (doubt == guarded_clock::doubts::behind)
      spdlog::warn(
        "the clock of this machine is behind the one that this store has seen: events keep "
        "later times, and what was hidden for its age may be shown again");
    else
      spdlog::info("the clock of this machine is as it should be");
  }

  ~impl() {
    background.stop();
    if (!store.db->failed() && !store.db->sync())
      mark.move_to(writer.end());
  }
};

result<std::unique_ptr<rocksdb_event_store>>
rocksdb_event_store::open(const storage_config& settings, const mailbox_config& mailboxes,
                          const clock_source& clock) {
  return open(settings, mailboxes, clock, current_schema());
}

result<std::unique_ptr<rocksdb_event_store>>
rocksdb_event_store::open(const storage_config& settings, const mailbox_config& mailboxes,
                          const clock_source& clock, const schema& known) {
  auto opened = open_store(settings, mailboxes, clock, known);
  if (!opened)
    return opened.error();
  auto salvaged = opened->salvaged;
  auto x = std::make_unique<impl>(settings, std::move(*opened));
  if (auto failed = x->writer.load())
    return *failed;
  if (salvaged)
    if (auto failed = x->writer.append_loss())
      return *failed;
  if (auto failed = x->mark.move_to(x->writer.end()))
    return *failed;
  x->watch_clock();
  x->background.start([self = x.get()] {
    self->mark.touch();
    self->watch_clock();
  });
  return std::unique_ptr<rocksdb_event_store>{new rocksdb_event_store{std::move(x)}};
}

rocksdb_event_store::rocksdb_event_store(std::unique_ptr<impl> x) : impl_(std::move(x)) {
  // nop
}

rocksdb_event_store::~rocksdb_event_store() = default;

guarded_clock& rocksdb_event_store::clock() noexcept {
  return *impl_->store.clock;
}

status rocksdb_event_store::maintain(bool everything) {
  auto& background = impl_->background;
  if (auto failed = background.raise_floor())
    return failed;
  return everything ? background.compact_everything() : background.compact();
}

const node_id& rocksdb_event_store::node() const {
  return impl_->store.who.node;
}

uint64_t rocksdb_event_store::incarnation() const {
  return impl_->store.incarnation;
}

bool rocksdb_event_store::is_member() const {
  return impl_->is_member;
}

// -- the writer's thread
// ---------------------------------------------------------------------------

result<std::vector<log_entry>> rocksdb_event_store::admit(uint64_t node,
                                                          std::span<const std::string> bodies) {
  if (auto failed = impl_->store.db->failed())
    return *failed;
  return impl_->writer.admit(node, bodies);
}

result<std::vector<record>> rocksdb_event_store::reoriginate(uint64_t node, origin_position after,
                                                             origin_position up_to) {
  if (auto failed = impl_->store.db->failed())
    return *failed;
  if (auto full = check_space(false))
    return *full;
  return impl_->writer.reoriginate(node, after, up_to);
}

result<std::vector<record>> rocksdb_event_store::append_set_aside() {
  if (auto failed = impl_->store.db->failed())
    return *failed;
  if (auto full = check_space(false))
    return *full;
  return impl_->writer.append_set_aside();
}

void rocksdb_event_store::dismiss_admitted() {
  impl_->writer.dismiss_admitted();
}

status rocksdb_event_store::append_forgotten(const log_head& x) {
  if (auto failed = impl_->store.db->failed())
    return failed;
  if (auto full = check_space(false))
    return full;
  return impl_->writer.append_forgotten(x);
}

status rocksdb_event_store::append(std::span<log_entry> entries, bool sync) {
  if (auto failed = impl_->store.db->failed())
    return failed;
  auto is_stored = [](const log_entry& x) {
    return !x.content.content.ephemeral || !x.changes.empty();
  };
  auto is_event = [&](const log_entry& x) { return is_stored(x) && !is_upkeep(x); };
  if (std::any_of(entries.begin(), entries.end(), is_stored))
    if (auto full = check_space(std::none_of(entries.begin(), entries.end(), is_event)))
      return full;
  return impl_->writer.append(entries, sync);
}

status rocksdb_event_store::sync() {
  if (auto failed = impl_->store.db->sync())
    return failed;
  if (impl_->mark.position() == impl_->writer.end().position)
    return std::nullopt;
  auto failed = impl_->mark.move_to(impl_->writer.end());
  // The old mark is still true, and a full disk is refused elsewhere.
  if (failed && failed->code == errc::storage_full)
    return std::nullopt;
  return failed;
}

result<std::optional<key_entry>> rocksdb_event_store::find_key(std::string_view key,
                                                               int64_t now_ms) {
  auto value = impl_->store.db->get(family::key, key);
  if (!value)
    return value.error();
  if (!*value)
    return std::optional<key_entry>{};
  auto x = parse_idempotency(**value);
  if (!x)
    return failure{errc::storage_corrupt, "an entry of the key index cannot be read"};
  if (x->expires_at_ms <= now_ms)
    return std::optional<key_entry>{};
  auto node = impl_->store.heads->node_of(x->slot);
  return std::optional<key_entry>{{x->position, node, x->origin, x->time_ms, x->fingerprint}};
}

status rocksdb_event_store::check_space(bool for_upkeep) {
  return impl_->store.space->check(for_upkeep);
}

// -- any thread
// ------------------------------------------------------------------------------------

lsn rocksdb_event_store::last() const {
  return impl_->writer.last();
}

result<read_outcome> rocksdb_event_store::read(const read_request& what, record_visitor& to) const {
  return impl_->reader.read(what, to, last());
}

result<resolved_cursor> rocksdb_event_store::resolve(const cursor& x, const subscription&) const {
  return impl_->store.index->resolve(x, incarnation(), last());
}

cursor rocksdb_event_store::cursor_at(lsn x) const {
  auto found = impl_->store.index->cursor_at(x);
  // If the log cannot be read, rather everything once more than something never.
  return found ? std::move(*found) : cursor{node().short_form(), {}};
}

std::optional<event_id> rocksdb_event_store::id_at(lsn x) const {
  auto found = impl_->store.index->id_at(x);
  return found ? *found : std::nullopt;
}

std::optional<lsn> rocksdb_event_store::find(const event_id& x) const {
  auto found = impl_->store.index->find(x);
  return found ? *found : std::nullopt;
}

std::vector<log_head> rocksdb_event_store::heads() const {
  return impl_->store.heads->all();
}

result<origin_chunk> rocksdb_event_store::read_origin(uint64_t node, origin_position after,
                                                      origin_position up_to,
                                                      size_t bytes_max) const {
  return impl_->store.index->read(node, after, up_to, bytes_max, last());
}

result<lsn> rocksdb_event_store::before_time(int64_t unix_ms) const {
  return impl_->reader.before_time(unix_ms, last());
}

result<std::vector<topic_summary>> rocksdb_event_store::topics(std::string_view after,
                                                               std::string_view prefix,
                                                               size_t limit, int64_t now_ms) const {
  auto found = list_topics(*impl_->store.db, after, prefix, limit, now_ms, last());
  if (found)
    for (auto& x : *found)
      x.last_at = cursor_at(x.last);
  return found;
}

result<std::vector<mailbox_entry>> rocksdb_event_store::mailbox(std::string_view user, size_t limit,
                                                                int64_t now_ms) const {
  return impl_->mailboxes.list(user, limit, now_ms, last());
}

status rocksdb_event_store::read_records(std::span<const lsn> positions, int64_t now_ms,
                                         record_visitor& to) const {
  return impl_->reader.read_records(positions, now_ms, to, last());
}

store_statistics rocksdb_event_store::statistics() const {
  store_statistics x;
  x.last = last();
  x.first = impl_->reader.first(x.last);
  auto& db = *impl_->store.db;
  auto sum = [&](const std::string& name) {
    uint64_t n = 0;
    return db.raw().GetAggregatedIntProperty(name, &n) ? n : 0;
  };
  x.disk_bytes = sum(rocksdb::DB::Properties::kLiveSstFilesSize) + wal_bytes(impl_->directory);
  x.memory_bytes = sum(rocksdb::DB::Properties::kSizeAllMemTables)
                   + sum(rocksdb::DB::Properties::kEstimateTableReadersMem);
  if (uint64_t cached = 0; db.raw().GetIntProperty(
        db.at(family::log), rocksdb::DB::Properties::kBlockCacheUsage, &cached))
    x.memory_bytes += cached; // one cache for all families
  if (auto space = impl_->store.space->measure())
    x.free_bytes = space->free;
  x.clock_is_ahead = impl_->store.clock->frozen();
  return x;
}

} // namespace tidings::storage
