#include "actors/shard/shard.hpp"

#include "tidings/cursor.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>

namespace tidings {

namespace {

/// Whether a part of it has no content any more, and only the log can say what is missing.
bool has_missing(const committed_batch& x) {
  return std::any_of(x.records().begin(), x.records().end(), [](auto& record) {
    return !record.content.ephemeral && record.content.topics.empty();
  });
}

} // namespace

/// One request that waits for the next event.
class shard::waiter : public event_wait, public subscriber {
public:
  waiter(shard& home, std::function<void()> then) : home_(home), then_(std::move(then)) {
    // nop
  }

  ~waiter() override {
    if (waiting_)
      group->leave_live(*this);
    home_.leave_group(*this);
  }

  bool deliver(const delivery&, size_t) override {
    waiting_ = false;
    home_.env_.post([f = std::move(then_)] { f(); });
    return false;
  }

private:
  shard& home_;
  std::function<void()> then_;
  bool waiting_ = true;
};

shard::shard(shard_environment env)
  : env_(std::move(env)),
    head_(env_.head),
    head_at_(env_.head_at),
    recent_(env_.cfg->stream.recent_bytes),
    random_(std::random_device{}()) {
  recent_.start_after(head_);
}

shard::~shard() {
  *alive_ = false;
}

double shard::dice() {
  return std::uniform_real_distribution<double>{0, 1}(random_);
}

std::string shard::uuid() {
  std::random_device source; // the operating system's
  std::array<uint32_t, 4> words;
  for (auto& x : words)
    x = source();
  words[1] = (words[1] & 0xffff'0fff) | 0x4000;      // version
  words[2] = (words[2] & 0x3fff'ffff) | 0x8000'0000; // variant
  char text[37];
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%04x%08x", words[0], words[1] >> 16,
                words[1] & 0xffff, words[2] >> 16, words[2] & 0xffff, words[3]);
  return text;
}

// -- streams
// -------------------------------------------------------------------------------------------

uint64_t shard::open_stream(stream_request what, std::shared_ptr<byte_sink> sink) {
  auto id = (uint64_t{env_.index} + 1) << 32 | ++next_id_;
  auto who = what.who;
  add(env_.stats->streams_open);
  add(env_.stats->streams_total);
  agent_->announce(who, true);
  actors_.emplace(id, agent_->spawn(id, std::move(what), std::move(sink)));
  if (draining_)
    close(id, end_reason::shutdown);
  return id;
}

std::unique_ptr<event_wait> shard::wait_for_event(subscription_ptr who,
                                                  std::function<void()> then) {
  flush(); // what is pending came before the wait
  auto x = std::make_unique<waiter>(*this, std::move(then));
  x->group = &group_of(who, wire_format::ndjson, false);
  ++x->group->members;
  x->group->join_live(*x);
  return x;
}

void shard::join(stream& x, const subscription_ptr& who) {
  auto profile = x.profile();
  x.group = &group_of(who, profile.format, profile.chunked);
  ++x.group->members;
  streams_.emplace(x.id(), &x);
}

void shard::leave(stream& x) {
  streams_.erase(x.id());
  actors_.erase(x.id());
  std::erase(early_, &x);
  std::erase(later_, &x);
  wheel_.remove(x);
  subtract(env_.stats->streams_open);
  if (agent_)
    agent_->announce(x.group->who(), false);
  leave_group(x);
}

subscriber_group& shard::group_of(const subscription_ptr& who, wire_format format, bool chunked) {
  auto key = who->key();
  key += '\n';
  key += static_cast<char>('0' + static_cast<int>(format) * 2 + (chunked ? 1 : 0));
  auto& entry = groups_[key];
  if (!entry) {
    entry = std::make_unique<subscriber_group>(who, format, chunked);
    index_.add(*entry);
  }
  return *entry;
}

void shard::leave_group(subscriber& x) {
  auto* group = x.group;
  x.group = nullptr;
  if (--group->members != 0)
    return;
  std::erase(touched_, group);
  index_.remove(*group);
  auto key = group->what().key();
  key += '\n';
  key +=
    static_cast<char>('0' + static_cast<int>(group->format()) * 2 + (group->chunked() ? 1 : 0));
  groups_.erase(key);
}

bool shard::close(uint64_t id, end_reason why) {
  auto i = streams_.find(id);
  if (i == streams_.end())
    return false;
  i->second->end(why);
  return true;
}

void shard::close_later(uint64_t id, end_reason why) {
  env_.post([this, alive = alive_, id, why] {
    if (*alive)
      close(id, why);
  });
}

uint64_t shard::drain() {
  flush();
  draining_ = true;
  auto n = streams_.size();
  while (!streams_.empty())
    streams_.begin()->second->end(end_reason::shutdown);
  return n;
}

uint64_t shard::dismiss(const std::function<bool(const caller&)>& may_stay) {
  std::vector<uint64_t> ids;
  for (auto& [id, x] : streams_)
    if (x->by() && !may_stay(*x->by()))
      ids.push_back(id);
  for (auto id : ids)
    close(id, end_reason::revoked);
  return ids.size();
}

connection_page shard::connections(const connection_query& x) const {
  std::unordered_map<const subscriber_group*, bool> wanting; // the topic; asked once for all in it
  auto gets_topic = [&](const stream& who) {
    auto [i, is_new] = wanting.try_emplace(who.group, false);
    if (is_new)
      i->second = who.group->what().matches(x.topic);
    return i->second;
  };
  connection_page out;
  std::vector<uint64_t> ids;
  for (auto& [id, who] : streams_) {
    if (!x.user.empty() && (!who->by() || who->by()->user != x.user))
      continue;
    if (!x.topic.empty() && !gets_topic(*who))
      continue;
    ++out.total;
    if (id > x.after)
      ids.push_back(id);
  }
  auto n = std::min(x.limit, ids.size());
  std::partial_sort(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(n), ids.end());
  for (size_t i = 0; i < n; ++i)
    out.found.push_back(streams_.at(ids[i])->info());
  out.more = n < ids.size();
  return out;
}

void shard::configure(config_ptr x) {
  env_.cfg = std::move(x);
}

// -- delivery
// ------------------------------------------------------------------------------------------

void shard::on_commit(const commit_notice& x) {
  // Publishers first: while this thread writes to subscribers they prepare what comes next.
  for (auto& answer : x.answers)
    if (auto who = answer->listener.lock())
      who->on_published(answer);
  if (x.batch)
    collect(x.batch);
}

/// Lets streams that are up to date read what comes now from the log, which tells of gaps.
void shard::read_log() {
  flush();
  for (auto& [id, x] : streams_)
    x->read_log();
}

void shard::collect(const batch_ptr& batch) {
  auto is_whole = !has_missing(*batch);
  if (!is_whole)
    read_log();
  auto& records = batch->records();
  for (uint32_t i = 0; i < records.size(); ++i) {
    auto& x = records[i];
    if (!x.content.ephemeral) {
      head_at_.set(x.node, x.origin);
      head_id_.clear();
    }
    index_.for_each_match(x.content.topics, [&](subscriber_group& group) {
      if (!group.what().admits_type(x.content.type))
        return;
      if (!x.content.ephemeral)
        group.report(x);
      else
        add(env_.stats->dropped, group.members - group.live_count());
      if (group.live_count() == 0)
        return;
      if (!group.has_pending())
        touched_.push_back(&group);
      group.collect(*batch, i);
    });
  }
  head_ = batch->last();
  recent_.push(batch);
  if (!is_whole)
    recent_.start_after(head_);
  if (!touched_.empty() || !early_.empty()) {
    turn_.push_back(batch);
    flush_later();
  }
}

void shard::flush_later() {
  if (std::exchange(flush_posted_, true))
    return;
  env_.post([this, alive = alive_] {
    if (!*alive)
      return;
    flush_posted_ = false;
    flush();
    wake_early();
  });
}

void shard::flush() {
  if (flushing_)
    return;
  flushing_ = true;
  auto delivered = uint64_t{0};
  for (auto* group : touched_)
    delivered += group->deliver(wheel_.now(), head_);
  if (delivered != 0)
    add(env_.stats->delivered, delivered);
  touched_.clear();
  turn_.clear();
  flushing_ = false;
}

void shard::wake_early() {
  for (auto* x : std::exchange(early_, {}))
    x->advance();
}

void shard::later(stream& x) {
  later_.push_back(&x);
  if (std::exchange(later_posted_, true))
    return;
  env_.post([this, alive = alive_] {
    if (!*alive)
      return;
    later_posted_ = false;
    // One stream may end another only through its actor, so the list stays valid while it is
    // walked.
    for (auto* who : std::exchange(later_, {}))
      who->advance();
  });
}

const std::string& shard::head_id() {
  if (head_id_.empty())
    head_at_.append_to(head_id_);
  return head_id_;
}

void shard::tick() {
  wheel_.advance([](stream& x) { x.on_tick(); });
}

} // namespace tidings
