#include "actors/connection/stream.hpp"

#include "actors/shard/shard.hpp"
#include "tidings/connection_name.hpp"
#include "tidings/gap.hpp"
#include "tidings/text.hpp"

#include <algorithm>

namespace tidings {

namespace {

/// Pieces written from memory before other streams of the shard get their turn.
constexpr int pieces_per_turn = 4;

void count_end(statistics& stats, end_reason why) {
  switch (why) {
    case end_reason::client_gone:
    case end_reason::connection_lost:
      return add(stats.streams_ended_client);
    case end_reason::shutdown:
      return add(stats.streams_ended_shutdown);
    case end_reason::max_age:
      return add(stats.streams_ended_max_age);
    case end_reason::closed:
      return add(stats.streams_ended_closed);
    case end_reason::storage_failed:
      return add(stats.streams_ended_storage);
    case end_reason::slow_reader:
      return add(stats.streams_ended_slow_reader);
    case end_reason::token_expired:
    case end_reason::revoked:
      return add(stats.streams_ended_rights);
    case end_reason::replaced:
      return add(stats.streams_ended_replaced);
  }
}

} // namespace

const char* to_string(end_reason x) noexcept {
  switch (x) {
    case end_reason::client_gone:
      return "client_gone";
    case end_reason::connection_lost:
      return "connection_lost";
    case end_reason::shutdown:
      return "shutdown";
    case end_reason::max_age:
      return "max_age";
    case end_reason::closed:
      return "closed";
    case end_reason::slow_reader:
      return "slow_reader";
    case end_reason::token_expired:
      return "token_expired";
    case end_reason::revoked:
      return "revoked";
    case end_reason::replaced:
      return "replaced";
    case end_reason::storage_failed:
      return "storage_failed";
  }
  return "unknown";
}

stream::stream(shard& home, owner& of, uint64_t id, stream_request what,
               std::shared_ptr<byte_sink> sink)
  : home_(home),
    owner_(of),
    sink_(std::move(sink)),
    profile_(std::move(what.profile)),
    by_(std::move(what.by)),
    mailbox_of_(what.mailbox_of.empty() && by_ ? by_->user : what.mailbox_of),
    // The client may know already that it is connected: what comes before `start` is not lost on
    // it.
    opening_(new opening{std::move(what.start), home.head(), home.head_id()}),
    preface_(std::move(what.preface)),
    id_(id),
    since_ms_(home.clock().wall_ms()) {
  home_.join(*this, what.who);
  sink_->attach(this);
}

stream::~stream() {
  if (state_ != state::ended)
    end(end_reason::closed);
}

void stream::start() {
  if (state_ == state::ended)
    return;
  auto now = home_.wheel().now();
  wrote_at_tick_ = beat_at_tick_ = now;
  if (profile_->max_age.count() != 0) // spread over a tenth, so that they do not come back together
    end_at_tick_ =
      now + ticks(profile_->max_age)
      - static_cast<uint64_t>(static_cast<double>(ticks(profile_->max_age)) * 0.1 * home_.dice());
  std::string opening;
  append_opening(opening, *profile_, home_.dice());
  write(opening);
  schedule_tick();
  auto place = std::get_if<lsn>(&opening_->at);
  if (!place && !std::holds_alternative<from_now>(opening_->at)) {
    read_on(opening_->at);
    return;
  }
  auto begin = std::exchange(opening_, nullptr);
  position_ = place ? *place : begin->head;
  quiet_ = false; // it begins at a known place: whatever is missing behind it is a loss
  state_ = state::catching_up;
  send_ready(place ? std::string{} : begin->head_id, true);
  if (auto frames = std::exchange(preface_, {}); !frames.empty()) {
    std::string out;
    append_raw(out, *profile_, frames);
    write(out);
  }
  advance();
}

void stream::send_ready(std::string_view id, bool recovered) {
  std::string out;
  if (!profile_->first_event.empty())
    append_first_event(out, *profile_, home_.uuid());
  append_position(out, *profile_, id);
  if (!profile_->says_ready) {
    write(out);
    id_sent_ = position_;
    return;
  }
  auto json = "{\"connection\":\"" + connection_name{home_.member(), id_}.to_string()
              + "\",\"recovered\":" + (recovered ? "true" : "false") + ",\"topics\":[";
  auto separator = "";
  auto list = [&](const std::string& name) {
    json += std::exchange(separator, ",");
    append_json_string(json, name);
  };
  for (auto& x : group->what().topics())
    list(x);
  for (auto& x : group->what().wildcards())
    list(x.text());
  json += "]}";
  append_control(out, *profile_, {}, "tidings.ready", json);
  write(out);
  id_sent_ = position_;
}

// -- reading
// -------------------------------------------------------------------------------------------

void stream::read_on(start_point from) {
  reading_ = true;
  replay_request x;
  x.who = group->who();
  x.start = std::move(from);
  x.format = profile_->format;
  x.chunked = profile_->chunked;
  x.quiet = quiet_;
  x.seen = seen_;
  x.mailbox_of = mailbox_of_;
  x.bytes_max = profile_->chunk_bytes;
  if (lag_ && lag_->next_hole())
    x.until = std::max(lag_->next_hole()->after, position_);
  owner_.read(std::move(x));
}

void stream::on_chunk(replay_chunk& x) {
  reading_ = false;
  if (state_ == state::ended)
    return;
  auto& stats = home_.stats();
  if (opening_) {
    if (std::holds_alternative<from_cursor>(opening_->at)) {
      add(stats.resumes);
      if (!x.recovered)
        add(stats.resumes_unknown);
    }
    opening_.reset();
    state_ = state::catching_up;
    position_ = x.after;
    send_ready(x.after_id, x.recovered);
  }
  add(stats.delivered, x.events);
  add(stats.replayed, x.events);
  add(stats.gaps, x.gaps);
  events_ += x.events;
  quiet_ = x.quiet;
  seen_ = std::move(x.seen);
  caught_up_ = caught_up_ || x.end_reached;
  position_ = std::max(position_, x.covered);
  if (x.events + x.gaps != 0)
    id_sent_ = position_;
  if (!x.bytes.empty())
    write(x.bytes);
  advance();
}

void stream::on_read_failed(const failure&) {
  reading_ = false;
  end(end_reason::storage_failed);
}

void stream::advance() {
  if (state_ != state::catching_up || reading_ || blocked_)
    return;
  if (lag_ && !pass_holes())
    return;
  for (int i = 0; i < pieces_per_turn; ++i) {
    if (position_ > home_.head())
      return home_.await_head(*this);
    if (position_ == home_.head())
      return seen_ ? home_.await_head(*this) : go_live();
    // Memory does not know what a user has dismissed meanwhile; what comes after a read that
    // reached the end is too new for that.
    auto asks_store = !mailbox_of_.empty() && !caught_up_;
    if (asks_store || seen_ || !home_.recent().covers(position_))
      return read_on(position_);
    if (!write_from_memory())
      return read_on(position_);
    if (blocked_)
      return;
  }
  home_.later(*this);
}

void stream::read_log() {
  if (state_ != state::live)
    return;
  settle_live();
  group->leave_live(*this);
  position_ = home_.head();
  state_ = state::catching_up;
  home_.later(*this);
}

/// Writes a piece of what the shard still has in memory.
/// @returns whether there was one: what has expired meanwhile is told of by the log
bool stream::write_from_memory() {
  delivery piece;
  std::vector<batch_ptr> keep;
  auto& who = group->what();
  auto reached = position_;
  auto now_ms = home_.clock().wall_ms();
  auto met_expired = false;
  home_.recent().for_each_after(position_, [&](const batch_ptr& batch) {
    auto& records = batch->records();
    for (uint32_t i = 0; i < records.size(); ++i) {
      auto& x = records[i];
      if (x.content.ephemeral || x.position <= position_)
        continue;
      auto wanted = who.matches_any(x.content.topics) && who.admits_type(x.content.type);
      met_expired = wanted && x.content.expires_at_ms != 0 && x.content.expires_at_ms <= now_ms;
      if (met_expired)
        break;
      reached = x.position;
      if (!wanted)
        continue;
      auto& span = batch->as(profile_->format).spans[i];
      piece.bytes +=
        profile_->chunked ? span.chunk_end - span.chunk_begin : span.frame_end - span.frame_begin;
      ++piece.events;
      if (!piece.runs.empty() && piece.runs.back().batch == batch.get()
          && piece.runs.back().last + 1 == i)
        piece.runs.back().last = i;
      else
        piece.runs.push_back({batch.get(), i, i});
      if (piece.bytes >= profile_->chunk_bytes)
        break;
    }
    keep.push_back(batch);
    return piece.bytes < profile_->chunk_bytes && !met_expired;
  });
  for (auto& run : piece.runs)
    append_pieces(piece.pieces, run, profile_->format, profile_->chunked);
  auto before = events_;
  if (piece.events == 0 || took(piece, sink_->write(piece.pieces)))
    position_ = reached;
  quiet_ = quiet_ && piece.events == 0;
  add(home_.stats().delivered, events_ - before);
  return piece.events != 0 || !met_expired;
}

void stream::go_live() {
  home_.flush(); // what is pending for the group is behind us
  state_ = state::live;
  quiet_ = false;
  stop_lagging();
  joined_at_events_ = group->delivered().events;
  joined_at_bytes_ = group->delivered().bytes;
  group->join_live(*this);
}

/// Takes over what the group has counted for its live members.
void stream::settle_live() {
  auto& all = group->delivered();
  if (all.events != joined_at_events_) {
    wrote_at_tick_ = std::max(wrote_at_tick_, all.tick);
    id_sent_ = std::max(id_sent_, all.head);
  }
  events_ += all.events - std::exchange(joined_at_events_, all.events);
  bytes_ += all.bytes - std::exchange(joined_at_bytes_, all.bytes);
}

// -- writing
// -------------------------------------------------------------------------------------------

byte_sink* stream::live_sink() noexcept {
  return sink_.get();
}

bool stream::deliver(const delivery& x, size_t taken) {
  settle_live();
  took(x, taken);
  fall_behind();
  if (lag_) { // what was collected before it lagged
    std::optional<batch_walk> walk;
    for (auto& run : x.runs) {
      if (!walk || &walk->batch() != run.batch)
        walk.emplace(*run.batch);
      for (auto i = run.first; i <= run.last; ++i)
        if (auto& record = run.batch->records()[i];
            !record.content.ephemeral && record.position > position_)
          miss({record.position, walk->cursor_at(i)});
    }
  }
  return false;
}

/// Counts what the socket took of some events. If that is not all, what is left of the one that it
/// took in part is kept, and the position says where to read on.
/// @returns whether it took all
bool stream::took(const delivery& x, size_t taken) {
  bytes_ += taken;
  wrote_at_tick_ = home_.wheel().now();
  if (taken == x.bytes) {
    events_ += x.events;
    return true;
  }
  size_t passed = 0;
  for (auto& run : x.runs) {
    auto& encoded = run.batch->as(profile_->format);
    for (auto i = run.first; i <= run.last; ++i) {
      auto& span = encoded.spans[i];
      auto begin = profile_->chunked ? span.chunk_begin : span.frame_begin;
      auto end = profile_->chunked ? span.chunk_end : span.frame_end;
      auto& record = run.batch->records()[i];
      if (passed + (end - begin) > taken) {
        if (passed < taken) {
          keep_rest(
            *run.batch,
            std::string_view{encoded.bytes}.substr(begin, end - begin).substr(taken - passed));
          position_ = record.position;
          ++events_;
        } else {
          position_ =
            record.content.ephemeral ? record.position : lsn{to_integer(record.position) - 1};
        }
        block();
        return false;
      }
      passed += end - begin;
      position_ = record.position;
      ++events_;
    }
  }
  return false;
}

/// A thousand readers may stop in the middle of the same event: they share its bytes, unless these
/// are so small a part of their batch that holding on to it would cost more than a copy.
void stream::keep_rest(const committed_batch& of, std::string_view rest) {
  if (rest.size() * 4 >= of.as(profile_->format).bytes.size())
    tail_.share(of.shared_from_this(), rest);
  else
    tail_.append(rest);
}

/// Writes the broker's own frames.
void stream::write(std::string_view bytes) {
  wrote_at_tick_ = home_.wheel().now();
  if (blocked_) {
    tail_.append(bytes);
    return;
  }
  auto taken = sink_->write({&bytes, 1});
  bytes_ += taken;
  if (taken < bytes.size()) {
    tail_.append(bytes.substr(taken));
    block();
    schedule_tick();
  }
}

/// The sink is full, and will say when it is not.
void stream::block() {
  blocked_ = true;
  stalled_at_tick_ = home_.wheel().now();
}

void stream::on_writable() {
  if (state_ == state::ended)
    return;
  blocked_ = false;
  if (!tail_.empty()) {
    auto taken = sink_->write(tail_.pieces());
    bytes_ += taken;
    tail_.drop(taken);
    if (!tail_.empty()) {
      blocked_ = true;
      if (taken != 0)
        stalled_at_tick_ = home_.wheel().now();
      return;
    }
  }
  advance();
}

/// The socket is full: from now on the reader is fed at its own speed.
void stream::fall_behind() {
  state_ = state::catching_up;
  caught_up_ = false;
  if (profile_->overflow != overflow_policy::catch_up && !lag_) {
    lag_ = std::make_unique<lag_queue>(profile_->overflow, profile_->queue_events);
    group->join_lagging(*this);
  }
  schedule_tick();
}

void stream::stop_lagging() {
  if (!lag_)
    return;
  group->leave_lagging(*this);
  lag_.reset();
}

/// Called while the shard's head is at that record.
bool stream::missed(const record& x) {
  miss({x.position, home_.head_cursor()});
  return true;
}

void stream::miss(lag_queue::place x) {
  lag_->pass(position_);
  if (x.position <= position_)
    return; // the log was read ahead of the shard
  switch (lag_->push(std::move(x))) {
    case lag_queue::verdict::kept:
      break;
    case lag_queue::verdict::dropped:
      ++dropped_;
      add(home_.stats().dropped);
      break;
    case lag_queue::verdict::overflow:
      home_.close_later(id_, end_reason::slow_reader);
      break;
  }
}

/// Passes over what was dropped and says so; what was kept before it is sent first.
/// @returns whether there is nothing more of it and the socket takes bytes
bool stream::pass_holes() {
  lag_->pass(position_);
  while (!blocked_ && lag_->next_hole()) {
    auto hole = *lag_->next_hole();
    if (hole.after > position_) {
      read_on(position_);
      return false;
    }
    gap notice;
    notice.reason = gap_reason::lagged;
    notice.to = hole.to.at;
    std::string out;
    append_control(out, *profile_, notice.to.to_string(), "tidings.gap", to_json(notice));
    id_sent_ = position_ = hole.to.position;
    lag_->pass(position_);
    add(home_.stats().gaps);
    write(out);
  }
  return !blocked_;
}

// -- time
// ----------------------------------------------------------------------------------------------

uint64_t stream::ticks(milliseconds x) const {
  return static_cast<uint64_t>((x + shard::tick_interval - milliseconds{1}) / shard::tick_interval);
}

/// What the next heartbeat is counted from.
uint64_t stream::last_beat() const {
  return profile_->timing == heartbeat_timing::fixed ? beat_at_tick_ : wrote_at_tick_;
}

void stream::schedule_tick() {
  if (state_ == state::ended)
    return;
  auto now = home_.wheel().now();
  auto due = now + ticks(milliseconds{60'000});
  if (profile_->heartbeat_interval.count() != 0)
    due = std::min(due, last_beat() + ticks(profile_->heartbeat_interval));
  if (end_at_tick_ != 0)
    due = std::min(due, end_at_tick_);
  if (by_ && by_->expires_at_ms != 0)
    due = std::min(due, now
                          + ticks(milliseconds{
                            std::max<int64_t>(0, by_->expires_at_ms - home_.clock().wall_ms())}));
  if (blocked_)
    due = std::min(due, stalled_at_tick_ + ticks(profile_->write_timeout));
  home_.wheel().schedule(*this, due > now ? due - now : 1);
}

void stream::on_tick() {
  auto now = home_.wheel().now();
  if (state_ == state::live)
    settle_live();
  if (by_ && by_->expires_at_ms != 0 && home_.clock().wall_ms() >= by_->expires_at_ms)
    return end(end_reason::token_expired);
  if (blocked_) {
    if (now - stalled_at_tick_ >= ticks(profile_->write_timeout))
      return end(end_reason::slow_reader);
    return schedule_tick();
  }
  if (end_at_tick_ != 0 && now >= end_at_tick_)
    return end(end_reason::max_age);
  if (state_ == state::live && profile_->heartbeat_interval.count() != 0
      && now - last_beat() >= ticks(profile_->heartbeat_interval)) {
    home_.flush();
    if (state_ == state::live) {
      settle_live();
      std::string out;
      auto moved = home_.head() > id_sent_;
      append_heartbeat(out, *profile_,
                       moved ? std::string_view{home_.head_id()} : std::string_view{});
      position_ = id_sent_ = home_.head();
      beat_at_tick_ = now;
      write(out);
      if (blocked_) {
        group->leave_live(*this);
        fall_behind();
      }
    }
  } else if (state_ == state::catching_up && profile_->heartbeat_interval.count() != 0
             && now - last_beat() >= ticks(profile_->heartbeat_interval)) {
    wrote_at_tick_ = beat_at_tick_ = now;
    if (!opening_) { // what it reads has nothing for it, or not yet what it has seen elsewhere
      std::string out;
      append_heartbeat(out, *profile_, {});
      write(out);
    }
  }
  schedule_tick();
}

// -- end
// -----------------------------------------------------------------------------------------------

void stream::end(end_reason why) {
  if (state_ == state::ended)
    return;
  auto gone = why == end_reason::client_gone || why == end_reason::connection_lost;
  auto may_read = why != end_reason::token_expired && why != end_reason::revoked;
  if (!gone && may_read)
    home_.flush();
  if (state_ == state::live) {
    settle_live();
    group->leave_live(*this);
  }
  stop_lagging();
  state_ = state::ended;
  sink_->attach(nullptr);
  if (gone || !tail_.empty()) {
    sink_->close(
      false); // an event cut short is discarded by the client and sent again on its return
  } else {
    std::string out;
    append_opening(out, *profile_, home_.dice());
    append_control(out, *profile_, {}, "tidings.closing",
                   std::string{"{\"reason\":\""} + to_string(why) + "\"}");
    append_end(out, *profile_);
    auto bytes = std::string_view{out};
    sink_->close(sink_->write({&bytes, 1}) == out.size());
  }
  count_end(home_.stats(), why);
  owner_.ended(why); // first: it keeps the owner alive, whose last handle the shard drops
  home_.leave(*this);
}

void stream::on_gone(bool failed) {
  end(failed ? end_reason::connection_lost : end_reason::client_gone);
}

int64_t stream::age_ms() const {
  return home_.clock().wall_ms() - since_ms_;
}

connection_info stream::info() const {
  connection_info x;
  x.id = id_;
  x.address = sink_->peer();
  if (by_)
    x.user = by_->user;
  x.topics = group->what().key();
  x.topics.resize(std::min(x.topics.find('\n'), x.topics.size())); // without the rights
  for (auto& type : group->what().types())
    x.types += (x.types.empty() ? "" : ",") + type;
  x.since_ms = since_ms_;
  x.state = state_ == state::live ? "live" : blocked_ ? "blocked" : "replaying";
  x.position = state_ == state::live ? home_.head() : position_;
  x.events = events_;
  x.bytes = bytes_;
  if (state_ == state::live) {
    x.events += group->delivered().events - joined_at_events_;
    x.bytes += group->delivered().bytes - joined_at_bytes_;
  }
  x.dropped = dropped_;
  return x;
}

} // namespace tidings
