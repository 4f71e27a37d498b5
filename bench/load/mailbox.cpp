// Mode mailbox: a stream for each user, an item for each, and a change by each, which starts the
// actor of the mailbox.

#include "answers.hpp"
#include "modes.hpp"
#include "net.hpp"
#include "payload.hpp"
#include "reactor.hpp"
#include "stream_set.hpp"

#include <functional>
#include <sys/socket.h>

namespace bench {

namespace {

struct request_state {
  reactor& loop;
  std::function<std::string(uint64_t)> make;
  uint64_t count = 0;
  uint64_t begun = 0;
  uint64_t answered = 0;
  uint64_t failed = 0;
};

/// A connection that sends one request after the other.
class requester final : public handler {
public:
  requester(request_state& all, const target& to, uint64_t number)
    : all_(all), fd_(connect_to(to.port, 150'000 + number)) {
    all_.loop.add(fd_, *this);
  }

  ~requester() override {
    reset_and_close(fd_);
  }

  void next() {
    if (all_.begun < all_.count && !send_request(fd_, all_.make(all_.begun++)))
      fail("a connection broke");
  }

  void on_ready(uint32_t) override {
    read_answers(fd_, reader_, [this](int status) {
      if (status / 100 != 2 && all_.failed++ == 0)
        std::fprintf(stderr, "tidings-bench-load: a request was answered with status %d\n", status);
      ++all_.answered;
      next();
    });
  }

private:
  request_state& all_;
  int fd_;
  response_reader reader_;
};

std::string post(const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
         + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

} // namespace

report run_mailbox(run_context& x) {
  auto users = x.opts.number("users", 1000);
  auto connections = x.opts.number("connections", 32);
  auto settle_s = x.opts.number("settle-s", 3);
  x.opts.refuse_unknown();

  reactor loop;
  stream_set first{loop, x.to, {.topic = "first", .topics = 100, .mailboxes = true}, 60'000};
  first.open(100);
  loop.run_for(ns_per_second);
  const auto empty = x.probe.rss_bytes();
  stream_set streams{loop, x.to, {.topic = "u", .topics = users, .mailboxes = true}};
  streams.be_strict();
  streams.open(users);
  loop.run_for(settle_s * ns_per_second);
  const auto opened = x.probe.rss_bytes();

  uint64_t failed = 0;
  auto run = [&](const std::function<std::string(uint64_t)>& make) {
    request_state all{loop, make, users};
    std::vector<std::unique_ptr<requester>> crowd;
    for (uint64_t i = 0; i < connections; ++i) {
      crowd.push_back(std::make_unique<requester>(all, x.to, i));
      crowd.back()->next();
    }
    loop.run_until(UINT64_MAX, [&] { return all.answered == users; });
    failed += all.failed;
  };
  auto user_path = [&](uint64_t i) { return "/users/" + topic_name("u", users, i) + "/mailbox"; };
  run([&](uint64_t i) {
    auto title = make_payload(0);
    write_mark(title.data(), {now_ns(), 0, 1});
    return post(user_path(i), R"({"title":")" + title + R"("})");
  });
  auto all_have =
    loop.run_until(now_ns() + 10 * ns_per_second, [&] { return streams.tally().events >= users; });
  loop.run_for(settle_s * ns_per_second);
  const auto sent = x.probe.rss_bytes();
  const auto reads = streams.tally().reads;

  cpu_window window{x.probe};
  run([&](uint64_t i) { return post(user_path(i) + "/read", ""); });
  window.stop();
  loop.run_for(settle_s * ns_per_second);
  const auto changed = x.probe.rss_bytes();

  auto per_user = [users](uint64_t after, uint64_t before) {
    return (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(users);
  };
  report out;
  out.parameters.add("users", users).add("connections", connections);
  auto& r = out.results;
  const auto& tally = streams.tally();
  r.add("complete", all_have && failed == 0 && tally.events == users && tally.exact()
                      && streams.closed() == 0 && tally.reads >= reads + users);
  r.add("failed_requests", failed);
  r.add("rss_per_stream_bytes", per_user(opened, empty));
  r.add("rss_per_item_bytes", per_user(sent, opened));
  r.add("rss_per_change_bytes", per_user(changed, sent));
  r.add("rss_per_user_bytes", per_user(changed, empty));
  window.describe(r, "change", users);
  return out;
}

} // namespace bench
