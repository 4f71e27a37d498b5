#include "storage/log_writer.hpp"

#include "storage/entry_presenter.hpp"
#include "storage/keys.hpp"
#include "storage/meta_names.hpp"
#include "storage/record_codec.hpp"
#include "storage/rocksdb_failure.hpp"
#include "tidings/bytes.hpp"

#include <algorithm>
#include <memory>

namespace tidings::storage {

log_writer::log_writer(database& db, origin_heads& heads, const origin_index& index,
                       const guarded_clock& clock, const settings& x, const log_end& end)
  : db_(db),
    heads_(heads),
    index_(index),
    clock_(clock),
    settings_(x),
    end_(end),
    last_(to_integer(end.position)),
    retention_(db),
    mailboxes_(db, heads, index) {
  heads_.set_end(end.position);
  dismiss_admitted();
}

void log_writer::dismiss_admitted() {
  for (uint8_t i = 0; i < heads_.size(); ++i)
    admitted_[i] = heads_.head(i);
}

status log_writer::append(std::span<log_entry> entries, bool sync) {
  for (auto& x : entries)
    if (x.content.content.topics.size() > record_topics_max)
      return failure{errc::invalid_event,
                     "an event can have at most " + std::to_string(record_topics_max) + " topics"};
  if (auto failed = build(entries))
    return db_.give_up(*failed); // positions were given out
  return batch_.Count() == 0 ? std::nullopt : commit(sync);
}

void log_writer::begin() {
  batch_.Clear();
  keys_.clear();
  for (uint8_t i = 0; i < heads_.size(); ++i)
    moved_[i] = heads_.head(i);
}

status log_writer::build(std::span<log_entry> entries) {
  auto now = clock_.read_now_ms();
  begin();
  retention_.begin(now, clock_.delete_now_ms());
  auto is_foreign = [](const log_entry& x) { return !x.body.empty(); };
  mailboxes_.begin(heads_.size() > 1 || std::any_of(entries.begin(), entries.end(), is_foreign));
  decoded_entry foreign;
  for (auto& x : entries) {
    auto& content = x.content;
    if (auto failed = mailboxes_.put_changes(batch_, x.changes))
      return failed;
    if (!x.body.empty()) {
      auto slot = heads_.slot_of(content.node);
      if (!slot || !decode_body(x.body, foreign))
        return failure{errc::storage_corrupt, "an entry of another node was not admitted"};
      place(*slot, content.origin, now);
      value_ += x.body;
      content.position = end_.position;
      end_.chain = content.chain;
      moved_[*slot] = {content.node, content.origin, content.chain};
      if (x.is_gone)
        put_gone(content.position, foreign);
      else if (auto failed = put(x, foreign.key, foreign.fingerprint))
        return failed;
    } else if (content.content.ephemeral) {
      content.position = end_.position;
      if (content.node == 0)
        content.node = heads_.own();
      content.origin = end_.origin;
      content.chain = end_.chain;
      content.time_ms = std::max(now, end_.arrived_ms);
      continue;
    } else {
      encode_own(content, x.key, x.fingerprint, now);
      if (auto failed = put(x, x.key, x.fingerprint))
        return failed;
    }
    if (auto failed = mailboxes_.put_raises(batch_, x.raises))
      return failed;
    for (auto& [user, item] : mailboxes_.take_dismissed())
      retention_.dismissed(user, item);
    if (auto failed = retention_.add(x, value_))
      return failed;
  }
  return retention_.finish(batch_);
}

result<std::vector<log_entry>> log_writer::admit(uint64_t node,
                                                 std::span<const std::string> bodies) {
  std::vector<log_entry> entries;
  entries.reserve(bodies.size());
  auto known = heads_.slot_of(node);
  auto head = known ? admitted_[*known] : log_head{node, {}, 0};
  decoded_entry x;
  for (auto& body : bodies) {
    if (!decode_body(body, x))
      return failure{errc::storage_corrupt, "a record of another node cannot be read"};
    auto goes_on =
      x.origin.incarnation == head.at.incarnation && x.origin.sequence == head.at.sequence + 1;
    auto begins = x.origin.incarnation > head.at.incarnation && x.origin.sequence == 1;
    if (!goes_on && !begins)
      return failure{errc::invalid_parameter, "a record of another node does not come next"};
    auto previous = begins ? 0 : head.chain;
    auto can_be_checked = x.form == entry_form::record && x.chain != 0 && (begins || previous != 0);
    if (can_be_checked && chain_of(x, body, node, previous) != x.chain)
      return failure{errc::storage_corrupt,
                     "a record of another node does not follow from the one before it"};
    head = {node, x.origin, x.chain};
    auto& entry = entries.emplace_back();
    entry.content.node = node;
    entry.content.origin = x.origin;
    entry.content.time_ms = x.time_ms;
    entry.content.chain = x.chain;
    entry.is_gone = x.form != entry_form::record;
    if (!entry.is_gone)
      entry.content.content = to_event(x);
    entry.body = body;
  }
  auto slot = slot_of(node);
  if (!slot)
    return slot.error();
  admitted_[*slot] = head;
  return entries;
}

result<uint8_t> log_writer::slot_of(uint64_t node) {
  if (auto known = heads_.slot_of(node))
    return *known;
  auto slot = heads_.size();
  if (slot == slots_max)
    return failure{errc::storage_unavailable, "the log holds records of "
                                                + std::to_string(slots_max)
                                                + " nodes already, which is the most"};
  // Durable before anything names it.
  if (auto failed = db_.put_number(std::string{meta::slot} + std::to_string(slot), node))
    return *failed;
  heads_.add(slot, node);
  admitted_[slot] = {node, {}, 0};
  moved_[slot] = admitted_[slot];
  return slot;
}

status log_writer::append_loss() {
  begin();
  record x;
  auto now = clock_.read_now_ms();
  encode_own(x, {}, 0, now);
  decoded_entry place;
  if (!decode_entry(value_, place))
    return failure{errc::internal_error, "an entry that was just made cannot be read"};
  encode_stub(value_, entry_form::lost, now, place);
  place.expires_at_ms = now;
  put_gone(end_.position, place);
  return commit(true);
}

status log_writer::append_forgotten(const log_head& x) {
  auto slot = slot_of(x.node);
  if (!slot)
    return slot.error();
  if (x.at <= heads_.head(*slot).at)
    return db_.sync(); // it is known
  begin();
  auto now = clock_.read_now_ms();
  place(*slot, x.at, now);
  decoded_entry stub;
  stub.slot = *slot;
  stub.origin = x.at;
  stub.expires_at_ms = now;
  stub.chain = x.chain;
  stub.time_ms = stub.arrived_ms = end_.arrived_ms;
  stub.other_count = heads_.others(*slot, stub.others);
  encode_stub(value_, entry_form::expired, now, stub);
  end_.chain = x.chain;
  begins_run_ = true; // what follows in sequence does, but what came before does not
  moved_[*slot] = admitted_[*slot] = x;
  put_gone(end_.position, stub);
  return commit(true);
}

result<std::vector<record>> log_writer::reoriginate(uint64_t node, origin_position after,
                                                    origin_position up_to) {
  auto slot = heads_.slot_of(node);
  auto is_own = slot == uint8_t{0};
  if (!slot || heads_.head(*slot).at != up_to || (is_own && sequence_ != 0))
    return failure{errc::invalid_parameter, "nothing of that node is here"};
  begin();
  mailboxes_.begin(true);
  std::vector<record> again;
  decoded_entry old;
  auto now = clock_.read_now_ms();
  auto first = index_.first_after(node, after);
  if (!first)
    return first.error();
  auto held = last_held(*slot, after, *first);
  if (!held)
    return held.error();
  if (auto failed = move_back(*slot, *held)) // before the copies, which say how far all nodes are
    return *db_.give_up(*failed);
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::log))};
  log_key begin_of_tail{first->value_or(next(end_.position))};
  for (at->Seek(slice(begin_of_tail.view())); at->Valid(); at->Next()) {
    auto place = parse_log_key(view(at->key()));
    record_head whose;
    if (!place || !decode_head(view(at->value()), whose))
      return *db_.give_up({errc::storage_corrupt, "a log entry cannot be read"});
    if (whose.slot != *slot)
      continue;
    if (!decode_entry(view(at->value()), old))
      return *db_.give_up(unreadable_entry(*place));
    if (old.origin <= *held)
      continue;
    if (is_taken_away(old)) // its place names what goes now
      take_away(*place, old, *held);
    else if (auto failed = reoriginate_one(*place, old, *held, now, again))
      return *db_.give_up(*failed);
  }
  if (!at->status().ok())
    return *db_.give_up(to_failure("cannot read the log", at->status()));
  if (end_.slot == *slot)
    end_.origin = *held; // its place says so
  else if (again.empty())
    if (auto failed = correct_newest(*slot, *held))
      return *db_.give_up(*failed);
  begins_run_ = true;
  if (auto failed = commit(true))
    return *failed;
  dismiss_admitted();
  return again;
}

result<origin_position> log_writer::last_held(uint8_t slot, origin_position upto,
                                              std::optional<lsn> tail) const {
  if (!tail)
    return upto;
  auto before = lsn{to_integer(*tail) - 1};
  if (before == lsn{})
    return origin_position{};
  auto value = db_.get(family::log, log_key{before}.view());
  if (!value)
    return value.error();
  decoded_entry x;
  if (!*value)
    return upto; // forgotten
  if (!decode_entry(**value, x))
    return unreadable_entry(before);
  if (x.slot == slot)
    return x.origin;
  for (auto& other : x.other_span())
    if (other.slot == slot)
      return other.at;
  return origin_position{};
}

status log_writer::reoriginate_one(lsn at, const decoded_entry& x, origin_position after,
                                   int64_t now_ms, std::vector<record>& again) {
  auto is_gone =
    x.form != entry_form::record || (x.expires_at_ms != 0 && x.expires_at_ms <= now_ms);
  status failed;
  if (is_gone) {
    failed = mailboxes_.take_item(batch_, at, to_event(x));
  } else if (x.slot == 0) {
    failed = set_aside(at, x);
  } else {
    log_entry copy;
    failed = put_copy(copy, x, now_ms);
    if (!failed)
      failed = mailboxes_.move_item(batch_, at, copy.content);
    again.push_back(std::move(copy.content));
  }
  if (!failed)
    take_away(at, x, after);
  return failed;
}

status log_writer::correct_newest(uint8_t slot, origin_position to) {
  log_key key{end_.position};
  auto value = db_.get(family::log, key.view());
  if (!value)
    return value.error();
  decoded_entry x;
  if (!*value || !decode_entry(**value, x) || x.body.empty())
    return std::nullopt; // nothing there says anything of other nodes
  std::vector<slot_position> others;
  for (auto& other : x.other_span())
    if (other.slot != slot)
      others.push_back(other);
    else if (to.sequence != 0)
      others.push_back({slot, to});
  std::string corrected;
  encode_place(corrected, {x.slot, x.arrived_ms, others});
  corrected += x.body;
  set_released(corrected, x.released);
  batch_.Put(db_.at(family::log), slice(key.view()), corrected);
  return std::nullopt;
}

result<std::vector<record>> log_writer::append_set_aside() {
  begin();
  mailboxes_.begin(true);
  std::vector<record> again;
  decoded_entry old;
  auto now = clock_.read_now_ms();
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::meta))};
  for (at->Seek(slice(meta::set_aside));
       at->Valid() && at->key().starts_with(slice(meta::set_aside)); at->Next()) {
    if (!decode_body(view(at->value()), old))
      return *db_.give_up({errc::storage_corrupt, "a record that was set aside cannot be read"});
    batch_.Delete(db_.at(family::meta), at->key());
    if (old.expires_at_ms != 0 && old.expires_at_ms <= now)
      continue;
    log_entry copy;
    if (auto failed = put_copy(copy, old, now))
      return *db_.give_up(*failed);
    for (auto topic : old.topic_span())
      retention_.forget(topic);
    again.push_back(std::move(copy.content));
  }
  if (!at->status().ok())
    return *db_.give_up(to_failure("cannot read what was set aside", at->status()));
  if (auto failed = batch_.Count() == 0 ? db_.sync() : commit(true))
    return *failed;
  return again;
}

status log_writer::put_copy(log_entry& copy, const decoded_entry& x, int64_t now_ms) {
  copy.content.content = to_event(x);
  encode_own(copy.content, x.key, x.fingerprint, now_ms);
  return put(copy, x.key, x.fingerprint, &x);
}

status log_writer::set_aside(lsn at, const decoded_entry& x) {
  record copy;
  copy.node = heads_.own();
  copy.origin = x.origin;
  copy.time_ms = x.time_ms;
  copy.content = to_event(x);
  value_.clear();
  append_body(value_, copy, {{}, x.key, x.fingerprint}, 0);
  std::string key{meta::set_aside};
  append_u64(key, x.origin.incarnation);
  append_u64(key, x.origin.sequence);
  batch_.Put(db_.at(family::meta), key, value_);
  return mailboxes_.take_item(batch_, at, copy.content);
}

void log_writer::take_away(lsn at, const decoded_entry& x, origin_position after) {
  for (auto topic : x.topic_span()) {
    retention_.forget(topic);
    encode_topic_key(key_, topic, at);
    batch_.Delete(db_.at(family::topic), key_);
  }
  auto nothing = x;
  nothing.origin = after;
  nothing.follows = {};
  nothing.topic_count = 0;
  std::string stub;
  encode_stub(stub, entry_form::evicted, x.arrived_ms, nothing);
  batch_.Put(db_.at(family::log), slice(log_key{at}.view()), stub);
  batch_.Delete(db_.at(family::origin), encode_origin_key({heads_.node_of(x.slot), x.origin, {}}));
}

status log_writer::move_back(uint8_t slot, origin_position to) {
  moved_[slot] = {heads_.node_of(slot), to, 0};
  auto last = index_.find({moved_[slot].node, to});
  if (!last)
    return last.error();
  if (!*last)
    return std::nullopt;
  auto value = db_.get(family::log, log_key{**last}.view());
  if (!value)
    return value.error();
  record_head head;
  if (*value && decode_head(**value, head))
    moved_[slot].chain = head.chain;
  return std::nullopt;
}

void log_writer::encode_own(record& x, std::string_view key, uint64_t fingerprint, int64_t now_ms) {
  auto previous = sequence_ == 0 ? 0 : chain_;
  x.node = heads_.own();
  x.origin = {settings_.incarnation, ++sequence_};
  x.time_ms = std::max(now_ms, end_.arrived_ms);
  place(0, x.origin, now_ms);
  x.position = end_.position;
  append_body(value_, x, {moved_[0].at, key, fingerprint}, previous);
  end_.chain = chain_ = x.chain;
  moved_[0] = {x.node, x.origin, x.chain};
}

void log_writer::place(uint8_t slot, origin_position at, int64_t now_ms) {
  auto goes_on = !begins_run_ && end_.slot == slot && end_.origin.incarnation == at.incarnation
                 && end_.origin.sequence + 1 == at.sequence;
  begins_run_ = false;
  end_.position = next(end_.position);
  end_.slot = slot;
  end_.origin = at;
  end_.arrived_ms = std::max(now_ms, end_.arrived_ms);
  if (!goes_on) {
    origin_run run{heads_.node_of(slot), at, end_.position};
    batch_.Put(db_.at(family::origin), encode_origin_key(run), encode_origin_value(run));
  }
  std::array<slot_position, slots_max> others;
  size_t n = 0;
  for (uint8_t i = 0; i < heads_.size(); ++i)
    if (i != slot && moved_[i].at.sequence != 0)
      others[n++] = {i, moved_[i].at};
  encode_place(value_, {slot, end_.arrived_ms, {others.data(), n}});
}

status log_writer::put(const log_entry& x, std::string_view key, uint64_t fingerprint,
                       const decoded_entry* copied) {
  auto& content = x.content.content;
  auto position = x.content.position;
  batch_.Put(db_.at(family::log), slice(log_key{position}.view()), value_);
  std::string entry;
  encode_topic_entry(entry, {content.expires_at_ms, payload_bytes(content)});
  for (auto& topic : content.topics) {
    encode_topic_key(key_, topic, position);
    batch_.Put(db_.at(family::topic), key_, entry);
  }
  if (auto failed = mailboxes_.put_item(batch_, x.content))
    return failed;
  if (key.empty())
    return std::nullopt;
  if (copied != nullptr || !x.body.empty()) {
    auto keeps = keeps_answer(key, x.content.time_ms, copied);
    if (!keeps)
      return keeps.error();
    if (*keeps)
      return std::nullopt;
  }
  keys_.emplace(key);
  auto slot = heads_.slot_of(x.content.node).value_or(0);
  encode_idempotency(entry, {x.content.time_ms + settings_.idempotency_window_ms, slot, position,
                             x.content.origin, x.content.time_ms, fingerprint});
  batch_.Put(db_.at(family::key), slice(key), entry);
  return std::nullopt;
}

/// Used on both sides of a split: who asks here goes on getting the answer given here.
result<bool> log_writer::keeps_answer(std::string_view key, int64_t time_ms,
                                      const decoded_entry* copied) {
  if (keys_.contains(key))
    return true;
  auto known = db_.get(family::key, key);
  if (!known)
    return known.error();
  auto before = *known ? parse_idempotency(**known) : std::nullopt;
  auto is_that_record =
    before && copied != nullptr && before->slot == copied->slot && before->origin == copied->origin;
  return before && before->expires_at_ms > time_ms && !is_that_record;
}

void log_writer::put_gone(lsn at, const decoded_entry& x) {
  batch_.Put(db_.at(family::log), slice(log_key{at}.view()), value_);
  std::string entry;
  encode_topic_entry(entry, {x.expires_at_ms, 0});
  auto list = [&](std::string_view topic) {
    encode_topic_key(key_, topic, at);
    batch_.Put(db_.at(family::topic), key_, entry);
  };
  for (auto topic : x.topic_span())
    list(topic);
  if (x.topic_count == 0)
    list(everyone); // of all topics: in the index under the name that no topic has
}

status log_writer::commit(bool sync) {
  if (auto failed = db_.write(batch_, sync))
    return failed;
  heads_.move_all(moved_, end_.position);
  admitted_[0] = std::max(admitted_[0], moved_[0], [](auto& x, auto& y) { return x.at < y.at; });
  mailboxes_.committed();
  last_.store(to_integer(end_.position), std::memory_order_release);
  return std::nullopt;
}

} // namespace tidings::storage
