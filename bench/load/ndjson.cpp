// Mode ndjson: long request bodies of one event per line, while the result lines come back. Also
// fills a store.

#include "follower_set.hpp"
#include "modes.hpp"
#include "net.hpp"
#include "payload.hpp"
#include "publisher_set.hpp"
#include "response_reader.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sys/socket.h>

namespace bench {

namespace {

struct ndjson_plan {
  std::string topic;
  uint64_t topics = 1;
  std::string ack;
  size_t data_bytes = 200;
  size_t chunk_bytes = size_t{64} * 1024;
};

struct ndjson_tally {
  uint64_t results = 0;
  uint64_t refused = 0;
  uint64_t other_level = 0;
};

// All lines have the same length, so that a chunk's size is known before it is filled.
class ndjson_request final : public handler {
public:
  ndjson_request(reactor& loop, const target& to, const ndjson_plan& plan, ndjson_tally& tally,
                 uint16_t number, uint64_t events, uint32_t first_sequence)
    : loop_(loop),
      plan_(plan),
      tally_(tally),
      number_(number),
      fd_(connect_to(to.port, 180'000 + number)),
      left_(events),
      sequence_(first_sequence) {
    auto topic = topic_name(plan_.topic, plan_.topics, 0);
    line_ = R"({"topic":")" + topic + R"(",)";
    topic_end_ = line_.find(topic) + topic.size();
    if (!plan_.ack.empty())
      line_ += R"("ack":")" + plan_.ack + R"(",)";
    line_ += R"("data":")";
    mark_at_ = line_.size();
    line_ += make_payload(plan_.data_bytes);
    line_ += "\"}\n";
    level_ = R"("level":")" + plan_.ack + '"';
    output_ = "POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
              "Transfer-Encoding: chunked\r\n\r\n";
    loop_.add(fd_, *this, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
  }

  ~ndjson_request() override {
    reset_and_close(fd_);
  }

  bool done() const {
    return reader_.where() == response_reader::phase::done;
  }

  void on_ready(uint32_t) override {
    // In turns, so that neither direction waits until the other has nothing to do.
    while (send_some() | receive_some()) {
    }
  }

private:
  bool send_some() {
    if (at_ == output_.size() && !fill())
      return false;
    auto n = send(fd_, output_.data() + at_, output_.size() - at_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      if (errno != EAGAIN && errno != EINTR && !done())
        fail("the server closed a connection in the middle of a body");
      return false;
    }
    at_ += static_cast<size_t>(n);
    return true;
  }

  bool receive_some() {
    auto buffer = shared_buffer();
    auto n = recv(fd_, buffer.data(), buffer.size(), 0);
    if (n == 0 && !done())
      fail("the server closed a connection before its last result line");
    if (n <= 0)
      return false;
    reader_.feed({buffer.data(), static_cast<size_t>(n)},
                 [this](std::string_view body) { take(body); });
    if (reader_.where() == response_reader::phase::broken)
      fail("the answer is not HTTP");
    if (reader_.where() != response_reader::phase::head && reader_.status() > 299)
      fail("NDJSON was answered with status " + std::to_string(reader_.status()));
    return static_cast<size_t>(n) == buffer.size();
  }

  bool fill() {
    if (ended_)
      return false;
    output_.clear();
    at_ = 0;
    auto lines = std::min<uint64_t>(left_, std::max<size_t>(plan_.chunk_bytes / line_.size(), 1));
    if (lines == 0) {
      output_ = "0\r\n\r\n";
      ended_ = true;
      return true;
    }
    char size[24];
    output_.append(size, static_cast<size_t>(
                           std::snprintf(size, sizeof(size), "%zx\r\n", lines * line_.size())));
    auto stamp = now_ns();
    for (uint64_t i = 0; i < lines; ++i) {
      if (plan_.topics > 1) {
        auto topic = topic_turn_;
        topic_turn_ = topic_turn_ + 1 < plan_.topics ? topic_turn_ + 1 : 0;
        for (size_t digit = 0; digit < 6; ++digit, topic /= 10)
          line_[topic_end_ - 1 - digit] = static_cast<char>('0' + topic % 10);
      }
      write_mark(line_.data() + mark_at_, {stamp, number_, ++sequence_});
      output_ += line_;
    }
    output_ += "\r\n";
    left_ -= lines;
    return true;
  }

  void take(std::string_view body) {
    while (!body.empty()) {
      auto end = body.find('\n');
      if (end == std::string_view::npos) {
        partial_ += body;
        return;
      }
      if (partial_.empty()) {
        count(body.substr(0, end));
      } else {
        partial_ += body.substr(0, end);
        count(partial_);
        partial_.clear();
      }
      body.remove_prefix(end + 1);
    }
  }

  void count(std::string_view line) {
    auto has = [line](std::string_view what) {
      return memmem(line.data(), line.size(), what.data(), what.size()) != nullptr;
    };
    if (line.size() < 2)
      return;
    ++tally_.results;
    if (has("\"code\":")) {
      if (tally_.refused++ == 0)
        std::fprintf(stderr, "tidings-bench-load: first refusal: %.*s\n",
                     static_cast<int>(line.size()), line.data());
    } else if (!has(level_)) {
      ++tally_.other_level;
    }
  }

  reactor& loop_;
  const ndjson_plan& plan_;
  ndjson_tally& tally_;
  uint16_t number_;
  int fd_;
  uint64_t left_; // events not yet in output_
  uint32_t sequence_;
  uint64_t topic_turn_ = 0;
  bool ended_ = false;
  std::string line_;
  size_t topic_end_ = 0;
  size_t mark_at_ = 0;
  std::string level_;
  std::string output_;
  size_t at_ = 0;
  std::string partial_;
  response_reader reader_;
};

/// One stream on each other node, of a topic of its own. An event to that topic, published when all
/// else is answered, comes there after all else is stored there, and costs nobody anything before.
class replicas {
public:
  replicas(const target& to, const std::vector<uint16_t>& ports)
    : publisher_(loop_, to, {.topic = topic, .number_by_topic = true}) {
    for (auto port : ports) {
      follower_plan where{.topic = topic, .ports = {port}};
      nodes_.push_back(std::make_unique<follower_set>(loop_, to, where, 1));
      nodes_.back()->open();
      nodes_.back()->tend();
      if (!loop_.run_until(now_ns() + 10 * ns_per_second,
                           [&] { return nodes_.back()->all_open(); }))
        fail("no stream on port " + std::to_string(port));
    }
  }

  void wait_for_all() {
    publisher_.start(1);
    auto all = [this] {
      return std::all_of(nodes_.begin(), nodes_.end(), [this](auto& node) {
        node->want(publisher_.topic_numbers());
        return node->satisfied() == 1;
      });
    };
    if (!loop_.run_until(now_ns() + 120 * ns_per_second, all))
      fail("other nodes do not store what was published");
  }

private:
  static constexpr auto topic = "replicated";

  reactor loop_;
  publisher_set publisher_;
  std::vector<std::unique_ptr<follower_set>> nodes_;
};

} // namespace

report run_ndjson(run_context& x) {
  ndjson_plan plan;
  plan.topic = x.opts.text("topic", "bench");
  plan.topics = x.opts.number("topics", 1);
  plan.ack = x.opts.text("ack", "fsync");
  plan.data_bytes = x.opts.number("data-bytes", 200);
  plan.chunk_bytes = x.opts.number("chunk-bytes", 65'536);
  auto connections = x.opts.number("connections", 1);
  auto events = x.opts.number("events", 200'000) / connections * connections;
  auto warmup = x.opts.number("warmup", events / 10) / connections * connections;
  auto others = x.opts.ports("replicas");
  x.opts.refuse_unknown();

  auto run = [&](uint64_t count, uint32_t first_sequence) {
    reactor loop;
    ndjson_tally tally;
    std::vector<std::unique_ptr<ndjson_request>> requests;
    for (uint64_t i = 0; i < connections; ++i)
      requests.push_back(std::make_unique<ndjson_request>(
        loop, x.to, plan, tally, static_cast<uint16_t>(i), count / connections, first_sequence));
    loop.run_until(UINT64_MAX, [&] {
      return std::all_of(requests.begin(), requests.end(), [](auto& r) { return r->done(); });
    });
    return tally;
  };
  std::unique_ptr<replicas> nodes;
  if (!others.empty())
    nodes = std::make_unique<replicas>(x.to, others);
  if (warmup != 0)
    run(warmup, 0);
  if (nodes)
    nodes->wait_for_all();
  cpu_window window{x.probe};
  cpu_window replicating{x.probe};
  auto tally = run(events, static_cast<uint32_t>(warmup / connections));
  window.stop();
  if (nodes)
    nodes->wait_for_all();
  replicating.stop();

  report out;
  out.parameters.add("connections", connections).add("events", events).add("warmup", warmup);
  out.parameters.add("topics", plan.topics).add("data_bytes", plan.data_bytes).add("ack", plan.ack);
  out.parameters.add("chunk_bytes", plan.chunk_bytes);
  auto& r = out.results;
  r.add("complete", tally.results == events && tally.refused == 0 && tally.other_level == 0);
  r.add("result_lines", tally.results).add("refused", tally.refused);
  r.add("other_level", tally.other_level);
  r.add("events_per_second", static_cast<double>(events) / window.seconds());
  if (nodes) {
    r.add("replicated_per_second", static_cast<double>(events) / replicating.seconds());
    r.add("replicated_cpu_us_per_event",
          1e6 * replicating.server_cpu_seconds() / static_cast<double>(events));
  }
  window.describe(r, "event", events);
  return out;
}

} // namespace bench
