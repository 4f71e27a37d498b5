#pragma once

#include "actors/shard/shard.hpp"
#include "actors/storage/log_reader.hpp"
#include "support/fake_store.hpp"
#include "support/still_clock.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tidings {

/// A socket that takes as much as the test allows.
class recording_sink : public byte_sink {
public:
  void attach(listener* who) override {
    owner = who;
  }

  size_t write(std::span<const std::string_view> pieces) override {
    ++writes;
    size_t taken = 0;
    for (auto x : pieces) {
      auto n = std::min(x.size(), room - taken);
      bytes += x.substr(0, n);
      taken += n;
    }
    room -= taken;
    return taken;
  }

  void close(bool gracefully) override {
    closed = true;
    clean = gracefully;
  }

  std::string peer() const override {
    return "test";
  }

  /// How often a text occurs in what was written.
  size_t count(std::string_view text) const {
    size_t n = 0;
    for (auto i = bytes.find(text); i != bytes.npos; i = bytes.find(text, i + 1))
      ++n;
    return n;
  }

  listener* owner = nullptr;
  std::string bytes;
  size_t room = SIZE_MAX;
  size_t writes = 0;
  bool closed = false;
  bool clean = false;
};

/// A shard without actors: what they would do happens when the test says so.
class shard_fixture : public shard::agent {
public:
  /// Stands for the connection actor.
  struct owner : stream::owner {
    explicit owner(shard_fixture& of) : fixture(of) {
      // nop
    }

    void read(replay_request x) override {
      fixture.reads.push_back({this, std::move(x)});
    }

    void ended(end_reason x) override {
      why = x;
    }

    shard_fixture& fixture;
    std::unique_ptr<stream> content;
    std::optional<end_reason> why;
  };

  struct pending_read {
    owner* who;
    replay_request what;
  };

  explicit shard_fixture(config settings = {}) : cfg(std::move(settings)) {
    make_shard();
  }

  ~shard_fixture() override {
    owners.clear();
  }

  void make_shard() {
    shard_environment env;
    env.cfg = std::make_shared<config>(cfg);
    env.is_member = store.is_member();
    env.head = store.last();
    env.head_at = store.cursor_at(store.last());
    env.stats = stats;
    env.clock = &clock;
    env.post = [this](std::function<void()> f) { posted.push_back(std::move(f)); };
    aut = std::make_unique<shard>(std::move(env));
    aut->attach(this);
  }

  /// Opens a stream; its first bytes are written, and its reads wait in `reads`.
  owner& open(std::vector<std::string> topics, start_point start = from_now{},
              const std::function<void(stream_profile&)>& adjust = {}) {
    auto& x = prepare(std::move(topics), std::move(start), adjust);
    x.content->start();
    return x;
  }

  /// The same, before its first turn.
  owner& prepare(std::vector<std::string> topics, start_point start,
                 const std::function<void(stream_profile&)>& adjust = {}, caller_ptr by = {}) {
    std::vector<topic_pattern> patterns;
    for (auto& x : topics)
      patterns.push_back(*topic_pattern::parse(x));
    auto profile = std::make_shared<stream_profile>(make_profile(cfg, wire_format::sse, false));
    if (adjust)
      adjust(*profile);
    auto x = std::make_unique<owner>(*this);
    auto& ref = *x;
    sinks[&ref] = std::make_shared<recording_sink>();
    add(stats->streams_open);
    ref.content = std::make_unique<stream>(
      *aut, ref, ++last_id,
      stream_request{std::make_shared<const subscription>(std::move(patterns)),
                     std::move(start),
                     profile,
                     std::move(by),
                     {}},
      sinks[&ref]);
    owners.push_back(std::move(x));
    return ref;
  }

  recording_sink& sink(owner& x) {
    return *sinks.at(&x);
  }

  /// Puts events into the log; the shard hears of them with `commit`.
  batch_ptr append(std::vector<std::pair<std::string, std::string>> topics_and_data,
                   bool ephemeral = false) {
    std::vector<log_entry> entries;
    for (auto& [topic, data] : topics_and_data) {
      auto& x = entries.emplace_back();
      x.content.content.topics = {topic};
      x.content.content.data = data;
      x.content.content.ephemeral = ephemeral;
    }
    return append(std::move(entries));
  }

  batch_ptr append(std::vector<log_entry> entries) {
    auto before = store.cursor_at(store.last());
    (void)store.append(entries, true);
    std::vector<record> records;
    for (auto& x : entries)
      records.push_back(x.content);
    return std::make_shared<committed_batch>(std::move(before), store.is_member(),
                                             std::move(records));
  }

  void commit(const batch_ptr& x) {
    aut->on_commit({x, {}});
    settle();
  }

  void publish(const std::string& topic, const std::string& data, bool ephemeral = false) {
    commit(append({{topic, data}}, ephemeral));
  }

  /// Runs what was posted.
  void settle() {
    while (!posted.empty()) {
      auto f = std::move(posted.front());
      posted.pop_front();
      f();
    }
  }

  /// Answers the oldest read from the log as it is now.
  void answer_read() {
    auto x = std::move(reads.front());
    reads.pop_front();
    auto chunk = log_reader{store}.replay(x.what, clock.wall_ms());
    x.who->content->on_chunk(*chunk);
    settle();
  }

  void tick(milliseconds time) {
    for (auto passed = milliseconds{0}; passed < time; passed += shard::tick_interval)
      aut->tick();
    settle();
  }

  // -- shard::agent
  // ----------------------------------------------------------------------------------

  connection_actor spawn(uint64_t, stream_request, std::shared_ptr<byte_sink>) override {
    return {};
  }

  void publish(publish_ptr) override {
    // nop
  }

  void announce(const subscription_ptr&, bool opened) override {
    announced += opened ? 1 : -1;
  }

  void read_page(page_request, std::function<void(result<page>)>) override {
    // nop
  }

  void list_topics(topics_request, std::function<void(result<topic_summaries>)>) override {
    // nop
  }

  void read_mailbox(mailbox_query, std::function<void(result<mailbox_page>)>) override {
    // nop
  }

  void change_mailbox(mailbox_order, std::function<void(result<mailbox_outcome>)>) override {
    // nop
  }

  void dismiss(caller_judge) override {
    // nop
  }

  void look(view_request, std::function<void(result<view_parts>)>) override {
    // nop
  }

  void close_connection(uint64_t, end_reason, std::function<void(bool)>) override {
    // nop
  }

  void change_members(cluster::change_request,
                      std::function<void(result<cluster::change_outcome>)>) override {
    // nop
  }

  void drain_node(bool, std::function<void(result<std::vector<std::string>>)>) override {
    // nop
  }

  config cfg;
  still_clock clock{1'000'000};
  fake_store store;
  std::shared_ptr<statistics> stats = std::make_shared<statistics>();
  std::deque<std::function<void()>> posted;
  std::deque<pending_read> reads;
  std::unique_ptr<shard> aut;
  std::map<owner*, std::shared_ptr<recording_sink>> sinks;
  std::vector<std::unique_ptr<owner>> owners;
  uint64_t last_id = 0;
  int announced = 0;
};

} // namespace tidings
