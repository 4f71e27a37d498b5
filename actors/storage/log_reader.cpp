#include "actors/storage/log_reader.hpp"

#include "actors/connection/stream_profile.hpp"

#include <algorithm>
#include <cstdio>

namespace tidings {

namespace {

constexpr size_t gap_topics_max = 100;
constexpr size_t chunk_head_bytes = 10; // eight digits, CR, LF

/// Everything missing between two events that are sent, as one notice.
class gap_collector {
public:
  void add(const missing_record& x) {
    if (!open_) {
      open_ = true;
      current_ = {};
      current_.reason = x.reason;
    }
    // Evicted says more than expired: the reader was too late, not the event too old.
    if (x.reason == gap_reason::evicted || x.reason == gap_reason::lost)
      current_.reason = x.reason;
    for (auto topic : x.topics)
      if (current_.topics.size() < gap_topics_max
          && std::find(current_.topics.begin(), current_.topics.end(), topic)
               == current_.topics.end())
        current_.topics.emplace_back(topic);
    current_.to = *x.at;
  }

  bool open() const noexcept {
    return open_;
  }

  gap take(std::string from) {
    open_ = false;
    current_.from = std::move(from);
    return std::move(current_);
  }

private:
  bool open_ = false;
  gap current_;
};

void append_gap(std::string& out, wire_format format, const gap& x) {
  stream_profile plain;
  plain.format = format;
  plain.chunked = false;
  append_control(out, plain, x.to.to_string(), "tidings.gap", to_json(x));
}

/// What a reader has seen, here or elsewhere: the id that goes with what it is sent.
cursor seen_with(const cursor& here, const cursor* elsewhere) {
  auto x = here;
  if (elsewhere)
    x.merge(*elsewhere);
  return x;
}

/// The texts that an envelope needs and a record does not hold.
class envelope_texts {
public:
  envelope_texts(bool is_member, const cursor* seen) : is_member_(is_member), seen_(seen) {
    // nop
  }

  /// Valid until the next call.
  envelope of(const record_view& x) {
    id_.clear();
    if (seen_)
      seen_with(*x.at, seen_).append_to(id_);
    else
      x.at->append_to(id_);
    name_.clear();
    event_id{x.node, x.origin}.append_to(name_, is_member_);
    topics_.assign(x.topics.begin(), x.topics.end());
    return {id_, name_, topics_, x.type, x.id, x.data, x.kind, x.time_ms, x.expires_at_ms, x.mail};
  }

  const std::string& id() const noexcept {
    return id_;
  }

private:
  bool is_member_;
  const cursor* seen_;
  std::string id_;
  std::string name_;
  std::vector<std::string_view> topics_;
};

size_t content_bytes(const record_view& x) noexcept {
  return x.mail ? x.data.size() + x.mail->title.size() + x.mail->message.size() : x.data.size();
}

/// Writes a replay.
class replay_writer : public record_visitor {
public:
  /// @param from what the reader sent for the place where it begins; empty: nothing
  replay_writer(replay_chunk& to, const replay_request& what, const event_store& store,
                const cursor* seen, std::string from, bool quiet)
    : to_(to),
      what_(what),
      store_(store),
      texts_(store.is_member(), seen),
      seen_(seen),
      last_id_(std::move(from)),
      quiet_(quiet) {
    // nop
  }

  bool on_record(const record_view& x) override {
    if (to_.events != 0 && to_.bytes.size() + content_bytes(x) + 256 > what_.bytes_max)
      return false;
    flush_gap();
    quiet_ = false;
    append_wire(to_.bytes, what_.format, texts_.of(x));
    last_id_ = texts_.id();
    ++to_.events;
    return true;
  }

  void on_missing(const missing_record& x) override {
    if (!quiet_)
      missing_.add(x);
    if (to_.events == 0 && !quiet_)
      to_.recovered = false;
  }

  void flush_gap() {
    if (!missing_.open())
      return;
    if (last_id_.empty()) // nothing of this piece was written yet
      last_id_ = store_.cursor_at(to_.after).to_string();
    auto notice = missing_.take(last_id_);
    notice.to = seen_with(notice.to, seen_);
    append_gap(to_.bytes, what_.format, notice);
    last_id_ = notice.to.to_string();
    ++to_.gaps;
  }

  bool quiet() const noexcept {
    return quiet_;
  }

private:
  replay_chunk& to_;
  const replay_request& what_;
  const event_store& store_;
  envelope_texts texts_;
  const cursor* seen_;
  gap_collector missing_;
  std::string last_id_;
  bool quiet_;
};

/// Collects a page.
class page_writer : public record_visitor {
public:
  page_writer(page& to, size_t limit, bool is_member, const cursor* seen)
    : to_(to), limit_(limit), texts_(is_member, seen) {
    // nop
  }

  bool on_record(const record_view& x) override {
    if (to_.events == limit_ || to_.json.size() >= bytes_max) {
      more_ = true;
      return false;
    }
    if (to_.events != 0)
      to_.json += ',';
    append_envelope_json(to_.json, texts_.of(x));
    ++to_.events;
    return true;
  }

  void on_missing(const missing_record& x) override {
    missing_.add(x);
  }

  bool more() const noexcept {
    return more_;
  }

  gap_collector& missing() noexcept {
    return missing_;
  }

private:
  static constexpr size_t bytes_max = 8 * 1024 * 1024;

  page& to_;
  size_t limit_;
  envelope_texts texts_;
  bool more_ = false;
  gap_collector missing_;
};

} // namespace

log_reader::log_reader(const event_store& store) : store_(store) {
  // nop
}

result<log_reader::origin_of_read> log_reader::locate(const start_point& x,
                                                      const subscription& who) const {
  origin_of_read found;
  if (auto known = std::get_if<lsn>(&x)) {
    found.after = *known;
  } else if (std::holds_alternative<from_now>(x)) {
    found.after = store_.last();
  } else if (auto time = std::get_if<from_time>(&x)) {
    auto before = store_.before_time(time->unix_ms);
    if (!before)
      return before.error();
    found.after = *before;
  } else if (auto id = std::get_if<from_cursor>(&x)) {
    found.quiet = false;
    auto parsed = cursor::parse(id->text);
    // The id of an event is the place behind it, too, in the order of this node.
    if (auto event = parsed ? std::nullopt : event_id::parse(id->text))
      if (auto place = store_.find(*event)) {
        found.after = *place;
        return found;
      }
    if (!parsed) {
      found.after = store_.last();
      found.gap = gap_reason::unknown_cursor;
      return found;
    }
    auto resolved = store_.resolve(*parsed, who);
    if (!resolved)
      return resolved.error();
    found.after = resolved->after;
    found.gap = resolved->gap;
    if (found.gap == gap_reason::unknown_cursor)
      return found;
    found.from = id->text;
    if (resolved->overlaps)
      found.seen = std::make_shared<const cursor>(std::move(*parsed));
  }
  return found;
}

result<replay_chunk> log_reader::replay(const replay_request& x, int64_t now_ms) const {
  replay_chunk chunk;
  auto first = !std::holds_alternative<lsn>(x.start);
  auto start = locate(x.start, *x.who);
  if (!start)
    return start.error();
  if (!first)
    start->quiet = x.quiet;
  chunk.after = start->after;
  chunk.bytes.reserve(x.bytes_max + 1024);
  if (x.chunked)
    chunk.bytes.append(chunk_head_bytes, '0');
  auto head = chunk.bytes.size();
  auto seen = first ? start->seen : x.seen;
  if (first)
    chunk.after_id = start->from.empty() ? store_.cursor_at(start->after).to_string() : start->from;
  if (start->gap) {
    gap notice;
    notice.reason = *start->gap;
    notice.from = start->from;
    notice.to = seen_with(store_.cursor_at(start->after), seen.get());
    append_gap(chunk.bytes, x.format, notice);
    chunk.recovered = false;
    ++chunk.gaps;
  }
  replay_writer writer{chunk, x, store_, seen.get(), start->from, start->quiet};
  read_request what;
  what.who = x.who.get();
  what.after = start->after;
  what.until = x.until;
  what.now_ms = now_ms;
  what.hide_dismissed_of = x.mailbox_of;
  what.seen = seen.get();
  auto outcome = store_.read(what, writer);
  if (!outcome)
    return outcome.error();
  writer.flush_gap();
  chunk.covered = std::max(outcome->covered, start->after);
  chunk.end_reached = outcome->end_reached;
  chunk.quiet = writer.quiet();
  if (seen && !store_.cursor_at(chunk.covered).covers(*seen))
    chunk.seen = std::move(seen);
  if (x.chunked) {
    if (chunk.bytes.size() == head) {
      chunk.bytes.clear();
    } else {
      char digits[chunk_head_bytes + 1];
      std::snprintf(digits, sizeof digits, "%08x\r\n",
                    static_cast<uint32_t>(chunk.bytes.size() - head));
      chunk.bytes.replace(0, chunk_head_bytes, digits, chunk_head_bytes);
      chunk.bytes += "\r\n";
    }
  }
  return chunk;
}

result<page> log_reader::read_page(const page_request& x, int64_t now_ms) const {
  page answer;
  auto since = locate(x.since, *x.who);
  if (!since)
    return since.error();
  if (x.goes_on) {
    since->quiet = false;
    since->seen = x.seen;
  }
  read_request what;
  what.who = x.who.get();
  what.after = since->after;
  what.until = store_.last();
  what.reverse = x.reverse;
  what.hide_dismissed_of = x.mailbox_of;
  what.now_ms = now_ms;
  if (x.until) {
    auto until = locate(*x.until, *x.who);
    if (!until)
      return until.error();
    what.until = std::min(what.until, until->after);
  }
  answer.json = "{\"events\":[";
  what.seen = since->seen.get();
  page_writer writer{answer, x.limit, store_.is_member(), what.seen};
  auto covered = x.reverse ? what.until : what.after;
  // They end by their limit, or by a bound on the work: others wait for this reader.
  constexpr auto rounds_max = 20;
  auto ended = false;
  for (int i = 0; i < rounds_max && !writer.more() && !ended && what.after < what.until; ++i) {
    auto outcome = store_.read(what, writer);
    if (!outcome)
      return outcome.error();
    ended = outcome->end_reached;
    if (x.reverse) {
      covered = lsn{to_integer(outcome->covered) == 0 ? 0 : to_integer(outcome->covered) - 1};
      what.until = covered;
    } else {
      covered = outcome->covered;
      what.after = covered;
    }
  }
  answer.more = writer.more() || (!ended && what.after < what.until);
  answer.covered = covered;
  answer.json += "],\"next\":\"";
  seen_with(store_.cursor_at(covered), what.seen).append_to(answer.json);
  answer.json += "\",\"more\":";
  answer.json += answer.more ? "true" : "false";
  if (what.seen && !store_.cursor_at(covered).covers(*what.seen))
    answer.seen = since->seen;
  answer.json += ",\"gap\":";
  answer.has_gap = true;
  if (since->gap) {
    gap notice;
    notice.reason = *since->gap;
    notice.from = since->from;
    notice.to = seen_with(store_.cursor_at(since->after), what.seen);
    answer.json += to_json(notice);
  } else if (writer.missing().open() && !since->quiet && !x.reverse) {
    auto from = since->from;
    if (from.empty())
      from = seen_with(store_.cursor_at(since->after), what.seen).to_string();
    answer.json += to_json(writer.missing().take(std::move(from)));
  } else {
    answer.json += "null";
    answer.has_gap = false;
  }
  answer.json += '}';
  return answer;
}

} // namespace tidings
