#include "storage/store_opening.hpp"

#include "storage/evidence.hpp"
#include "storage/files.hpp"
#include "storage/keys.hpp"
#include "storage/meta_names.hpp"
#include "storage/rocksdb_failure.hpp"
#include "storage/tail_check.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace tidings::storage {

namespace fs = std::filesystem;

namespace {

constexpr int64_t unix_ms_2020 = 1'577'836'800'000;

status make_directory(const std::string& path) {
  std::error_code error;
  auto is_new = fs::create_directories(path, error);
  if (is_new) // events are nobody else's business
    fs::permissions(path, fs::perms::owner_all, error);
  if (error)
    return file_failure("cannot create the data directory", path, error.value());
  return std::nullopt;
}

/// A store is only made where there is nothing else.
status check_empty(const std::string& path) {
  std::error_code error;
  for (fs::directory_iterator i{path, error}, end; !error && i != end; i.increment(error)) {
    auto name = i->path().filename().string();
    if (name != "tidings.lock" && name != "tidings.store.new" && name != "lost+found") {
      std::string detail = "the data directory ";
      detail.append(path).append(" holds other things (").append(name);
      detail += ") and no store of Tidings; nothing has been changed";
      return failure{errc::storage_unavailable, std::move(detail)};
    }
  }
  if (error)
    return file_failure("cannot list", path, error.value());
  return std::nullopt;
}

/// One start of a store.
class opening {
public:
  opening(const storage_config& settings, const mailbox_config& mailboxes,
          const clock_source& clock, const schema& known)
    : settings_(settings), mailboxes_(mailboxes), source_(clock), known_(known) {
    // nop
  }

  result<opened_store> run() {
    if (auto failed = make_directory(settings_.directory))
      return *failed;
    auto lock = directory_lock::take(settings_.directory);
    if (!lock)
      return lock.error();
    opened_store x{std::move(*lock)};
    for (auto step : {&opening::measure_space, &opening::identify, &opening::load_witness,
                      &opening::open_database, &opening::upgrade, &opening::load_nodes,
                      &opening::check_tail, &opening::load_heads, &opening::begin_incarnation})
      if (auto failed = (this->*step)(x))
        return *failed;
    return result<opened_store>{std::move(x)};
  }

private:
  bool salvaging() const {
    return settings_.recovery == recovery_mode::salvage;
  }

  status measure_space(opened_store& x) {
    auto& path = settings_.directory;
    x.space = std::make_unique<space_guard>(settings_, source_, file_system_of(path));
    return x.space->check_start(wal_bytes(path));
  }

  status identify(opened_store& x) {
    auto& path = settings_.directory;
    auto found = load_identity(path);
    if (!found)
      return found.error();
    if (*found) {
      x.who = **found;
      auto why = check_schema(x.who.schema, known_);
      if (why)
        why->detail = path + ": " + why->detail;
      return why;
    }
    if (auto failed = check_empty(path))
      return failed;
    auto node = make_node_id();
    if (!node)
      return node.error();
    x.who = {*node, known_.version, false};
    return save_identity(path, x.who);
  }

  status load_witness(opened_store& x) {
    auto found = load_watermark(settings_.directory);
    if (found)
      witness_ = *found;
    else if (!salvaging())
      return found.error();
    else
      x.salvaged = true;
    x.clock = std::make_unique<guarded_clock>(source_, witness_ ? witness_->wall_ms : 0);
    x.expiry = std::make_shared<expiry_context>(*x.clock, settings_.gap_memory.count(),
                                                mailboxes_.keep_read.count());
    return std::nullopt;
  }

  status open_database(opened_store& x) {
    auto& path = settings_.directory;
    if (auto failed = put_aside(path))
      return failed;
    auto opened = database::open(settings_, !x.who.complete, x.expiry);
    if (!opened) {
      auto why = opened.error();
      if (why.code == errc::storage_corrupt && !salvaging())
        why.detail += "; restore a backup, or start once with storage.recovery=salvage to go on "
                      "with what can be read (subscribers are told of the loss)";
      return why;
    }
    x.db = std::move(*opened);
    auto floor = x.db->get_number(meta::forget_floor);
    if (!floor)
      return floor.error();
    x.expiry->floor.persisted(lsn{floor->value_or(0)});
    if (x.who.complete)
      return std::nullopt;
    x.who.complete = true;
    if (auto failed = x.db->put_number(meta::schema, x.who.schema))
      return failed;
    return save_identity(path, x.who);
  }

  status upgrade(opened_store& x) {
    return migrate(x.who.schema, known_, *x.db, [&](uint32_t reached) -> status {
      if (auto failed = x.db->put_number(meta::schema, reached))
        return failed;
      x.who.schema = reached;
      return save_identity(settings_.directory, x.who);
    });
  }

  status load_nodes(opened_store& x) {
    x.heads = std::make_unique<origin_heads>(x.who.node.short_form());
    x.index = std::make_unique<origin_index>(*x.db, *x.heads, x.expiry->floor, settings_.is_member);
    for (uint8_t slot = 1; slot < slots_max; ++slot) {
      auto node = x.db->get_number(std::string{meta::slot} + std::to_string(slot));
      if (!node)
        return node.error();
      if (!*node)
        break;
      x.heads->add(slot, **node);
    }
    return std::nullopt;
  }

  status check_tail(opened_store& x) {
    std::array<uint64_t, slots_max> nodes{};
    for (uint8_t slot = 0; slot < slots_max; ++slot)
      nodes[slot] = x.heads->node_of(slot);
    tail_check check{witness_, nodes};
    std::unique_ptr<rocksdb::Iterator> at{x.db->raw().NewIterator({}, x.db->at(family::log))};
    at->SeekToLast();
    auto newest = at->Valid() ? parse_log_key(view(at->key())).value_or(lsn{}) : lsn{};
    log_key first{lsn{to_integer(newest) - std::min(to_integer(newest), tail_check::entries - 1)}};
    for (at->Seek(slice(first.view())); at->Valid(); at->Next())
      check.add(parse_log_key(view(at->key())).value_or(lsn{}), view(at->value()));
    if (!at->status().ok())
      return to_failure("cannot read the end of the log", at->status());
    x.end.position = check.last();
    x.end.slot = check.slot();
    x.end.origin = check.origin();
    x.end.chain = check.chain();
    x.end.arrived_ms = check.arrived_ms();
    auto problem = check.finish();
    if (!problem)
      problem = check_index(x);
    if (!problem) {
      remove_aside(settings_.directory);
      return std::nullopt;
    }
    if (!salvaging())
      return problem;
    x.salvaged = true;
    return std::nullopt;
  }

  /// The newest records must be in the topic index, or it is not of the same moment as the log.
  status check_index(opened_store& x) {
    constexpr uint64_t entries = 64;
    std::unique_ptr<rocksdb::Iterator> at{x.db->raw().NewIterator({}, x.db->at(family::log))};
    at->SeekToLast();
    decoded_entry record;
    std::string key;
    for (uint64_t i = 0; i < entries && at->Valid(); at->Prev(), ++i) {
      auto position = parse_log_key(view(at->key())).value_or(lsn{});
      if (!decode_entry(view(at->value()), record) || record.form != entry_form::record)
        continue;
      for (auto topic : record.topic_span()) {
        encode_topic_key(key, topic, position);
        auto found = x.db->get(family::topic, key);
        if (!found)
          return found.error();
        if (*found)
          continue;
        encode_topic_key(key, topic, lsn{});
        auto floor = x.db->get(family::topic, key);
        if (!floor)
          return floor.error();
        if (!*floor || parse_topic_floor(**floor).value_or(lsn{}) < position)
          return failure{errc::storage_corrupt,
                         "the store has lost a part of its topic index: position "
                           + std::to_string(to_integer(position))
                           + " is not in it; restore a backup"};
      }
    }
    return std::nullopt;
  }

  /// An entry says how far each node's records were there; their own entries have the chains.
  status load_heads(opened_store& x) {
    std::unique_ptr<rocksdb::Iterator> at{x.db->raw().NewIterator({}, x.db->at(family::log))};
    decoded_entry entry;
    for (at->SeekToLast(); at->Valid(); at->Prev()) {
      if (!decode_entry(view(at->value()), entry))
        continue; // salvaged
      std::vector<slot_position> all{entry.other_span().begin(), entry.other_span().end()};
      all.push_back({entry.slot, entry.origin});
      for (auto& of : all)
        if (auto failed = load_head(x, of))
          return failed;
      break;
    }
    if (!at->status().ok())
      return to_failure("cannot read the end of the log", at->status());
    return std::nullopt;
  }

  status load_head(opened_store& x, const slot_position& of) {
    auto place = x.index->find({x.heads->node_of(of.slot), of.at});
    if (!place)
      return place.error();
    decoded_entry last;
    last.chain = 0;
    if (*place) {
      auto value = x.db->get(family::log, log_key{**place}.view());
      if (!value)
        return value.error();
      if (*value && (!decode_entry(**value, last) || !last.is_chained))
        last.chain = 0; // a chain of today does not go on from there
    }
    x.heads->move(of.slot, of.at, last.chain);
    return std::nullopt;
  }

  status begin_incarnation(opened_store& x) {
    auto stored = x.db->get_number(meta::incarnation);
    if (!stored)
      return stored.error();
    // The clock and the witness matter when the database is older than they are: a restored backup.
    auto now = source_.wall_ms();
    auto since_2020 = now > unix_ms_2020 ? static_cast<uint64_t>(now - unix_ms_2020) : 0;
    x.incarnation = std::max({stored->value_or(0) + 1, witness_ ? witness_->incarnation + 1 : 1,
                              x.heads->head(0).at.incarnation + 1, since_2020});
    if (auto failed = x.db->put_number(meta::incarnation, x.incarnation))
      return failed;
    if (x.salvaged)
      return keep_aside(settings_.directory, "salvaged-" + std::to_string(x.incarnation));
    return std::nullopt;
  }

  const storage_config& settings_;
  const mailbox_config& mailboxes_;
  const clock_source& source_;
  const schema& known_;
  std::optional<watermark> witness_;
};

} // namespace

result<opened_store> open_store(const storage_config& settings, const mailbox_config& mailboxes,
                                const clock_source& clock, const schema& known) {
  return opening{settings, mailboxes, clock, known}.run();
}

} // namespace tidings::storage
