// Mode churn: streams that open and close as fast as that goes, with or without an event in
// between.

#include "modes.hpp"
#include "net.hpp"
#include "payload.hpp"
#include "reactor.hpp"
#include "response_reader.hpp"

#include <memory>
#include <sys/socket.h>
#include <vector>

namespace bench {

namespace {

struct churn_plan {
  std::string topic;
  bool new_topics = false; // each round another; otherwise each worker keeps its own
  bool publish = false;
  std::string ack;
  size_t data_bytes = 200;
};

struct churn_state {
  reactor& loop;
  const target& to;
  const churn_plan& plan;
  uint64_t left = 0;  // rounds not yet begun
  uint64_t begun = 0; // over all windows: names topics
  uint64_t ended = 0; // rounds
  uint64_t failed = 0;
  histogram opening; // from connecting to the first bytes
};

// Opens a stream, waits for its first bytes, publishes one event and waits for it, closes.
class worker {
public:
  worker(churn_state& all, uint64_t number)
    : all_(all), number_(number), stream_(*this), publisher_(*this) {
    // nop
  }

  ~worker() {
    stream_.close();
    publisher_.close();
  }

  void next_round() {
    if (all_.left == 0)
      return;
    --all_.left;
    const auto round = all_.begun++;
    topic_ = all_.plan.topic + ':' + std::to_string(all_.plan.new_topics ? round : number_);
    began_ns_ = now_ns();
    state_ = state::opening;
    // The source address changes, or a port would come back too soon.
    stream_.open(round);
    if (!send_request(stream_.fd, all_.to.subscribe_request(topic_, {})))
      fail("could not send a subscribe request");
  }

private:
  enum class state : uint8_t { opening, waiting, closing };

  struct connection final : handler {
    explicit connection(worker& of) : of(of) {
      // nop
    }

    void open(uint64_t index) {
      reader.next();
      fd = connect_to(of.all_.to.port, index);
      of.all_.loop.add(fd, *this);
    }

    void close() {
      if (fd < 0)
        return;
      of.all_.loop.remove(fd);
      reset_and_close(fd);
      fd = -1;
    }

    void on_ready(uint32_t) override {
      auto buffer = shared_buffer();
      while (fd >= 0) {
        auto n = recv(fd, buffer.data(), buffer.size(), 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
          return;
        if (n <= 0)
          fail("the server closed a connection");
        bool body = false;
        bool mark = false;
        reader.feed({buffer.data(), static_cast<size_t>(n)}, [&](std::string_view bytes) {
          body = true;
          mark = mark || bytes.find(mark_byte) != std::string_view::npos;
        });
        of.on_bytes(*this, body, mark);
      }
    }

    worker& of;
    int fd = -1;
    response_reader reader;
  };

  void on_bytes(connection& from, bool body, bool mark) {
    if (&from == &publisher_) {
      if (from.reader.where() == response_reader::phase::done) {
        all_.failed += from.reader.status() / 100 == 2 ? 0 : 1;
        from.reader.next();
        answered_ = true;
        end_round();
      }
      return;
    }
    if (from.reader.where() != response_reader::phase::head && from.reader.status() != 200)
      fail("a stream was answered with status " + std::to_string(from.reader.status()));
    if (state_ == state::opening && body) {
      all_.opening.add(now_ns() - began_ns_);
      state_ = state::waiting;
      answered_ = got_event_ = !all_.plan.publish;
      if (all_.plan.publish)
        publish();
    }
    got_event_ = got_event_ || mark;
    end_round();
  }

  void publish() {
    if (publisher_.fd < 0)
      publisher_.open(150'000 + number_);
    auto payload = make_payload(all_.plan.data_bytes);
    write_mark(payload.data(), {now_ns(), static_cast<uint16_t>(number_), 1});
    auto head = all_.to.publish_head(topic_, all_.plan.ack, payload.size());
    if (!send_request(publisher_.fd, head + payload))
      fail("a publisher's connection broke");
  }

  void end_round() {
    if (state_ != state::waiting || !answered_ || !got_event_)
      return;
    state_ = state::closing;
    stream_.close();
    ++all_.ended;
    next_round();
  }

  churn_state& all_;
  uint64_t number_;
  std::string topic_;
  state state_ = state::closing;
  bool answered_ = false;
  bool got_event_ = false;
  uint64_t began_ns_ = 0;
  connection stream_;
  connection publisher_;
};

} // namespace

report run_churn(run_context& x) {
  churn_plan plan;
  plan.topic = x.opts.text("topic", "churn");
  plan.new_topics = x.opts.text("new-topics", "no") == "yes";
  plan.publish = x.opts.text("publish", "no") == "yes";
  plan.ack = x.opts.text("ack", "written");
  plan.data_bytes = x.opts.number("data-bytes", 200);
  auto workers = x.opts.number("workers", 32);
  auto rounds = x.opts.number("rounds", 20'000);
  auto warmup = x.opts.number("warmup", rounds / 5);
  auto settle_s = x.opts.number("settle-s", 3);
  x.opts.refuse_unknown();

  reactor loop;
  churn_state all{loop, x.to, plan};
  std::vector<std::unique_ptr<worker>> crowd;
  for (uint64_t i = 0; i < workers; ++i)
    crowd.push_back(std::make_unique<worker>(all, i));
  auto run = [&](uint64_t count) {
    all.ended = all.failed = 0;
    all.left = count;
    all.opening.clear();
    for (auto& one : crowd)
      one->next_round();
    loop.run_until(UINT64_MAX, [&] { return all.ended == count; });
  };
  run(warmup);
  loop.run_for(ns_per_second);
  auto before = x.probe.rss_bytes();
  cpu_window window{x.probe};
  run(rounds);
  window.stop();
  auto after = x.probe.rss_bytes();
  loop.run_for(settle_s * ns_per_second);
  auto settled = x.probe.rss_bytes();

  auto per_round = [&](uint64_t bytes) {
    return (static_cast<double>(bytes) - static_cast<double>(before)) / static_cast<double>(rounds);
  };
  report out;
  out.parameters.add("workers", workers).add("rounds", rounds).add("warmup", warmup);
  out.parameters.add("new_topics", plan.new_topics).add("publish", plan.publish);
  auto& r = out.results;
  r.add("complete", all.ended == rounds && all.failed == 0);
  r.add("rounds_per_second", static_cast<double>(rounds) / window.seconds());
  r.add("failed_publishes", all.failed);
  add_percentiles(r, "opening", all.opening);
  r.add("rss_per_round_bytes", per_round(after));
  r.add("rss_per_round_settled_bytes", per_round(settled));
  r.add("server_rss_settled_bytes", settled);
  window.describe(r, "round", rounds);
  return out;
}

} // namespace bench
