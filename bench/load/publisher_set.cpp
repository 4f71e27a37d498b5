#include "publisher_set.hpp"

#include "answers.hpp"
#include "net.hpp"
#include "options.hpp"
#include "payload.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace bench {

class publisher_set::connection final : public handler {
public:
  connection(publisher_set& set, uint16_t number)
    : set_(set), number_(number), fd_(connect_to(set.target_.port, 150'000 + number)) {
    auto payload = make_payload(set.plan_.data_bytes);
    auto topic = topic_name(set.plan_.topic, set.plan_.topics, 0);
    request_ = set.target_.publish_head(topic, set.plan_.ack, payload.size());
    topic_end_ = request_.find(topic) + topic.size();
    payload_at_ = request_.size();
    request_ += payload;
    set_.loop_.add(fd_, *this);
  }

  ~connection() override {
    reset_and_close(fd_);
  }

  void send(uint64_t stamp_ns, uint64_t topic) {
    auto mark = set_.plan_.number_by_topic ? payload_mark{stamp_ns, static_cast<uint16_t>(topic),
                                                          ++set_.topic_numbers_[topic]}
                                           : payload_mark{stamp_ns, number_, ++sequence_};
    if (set_.plan_.topics > 1)
      for (size_t i = 0; i < 6; ++i, topic /= 10)
        request_[topic_end_ - 1 - i] = static_cast<char>('0' + topic % 10);
    write_mark(request_.data() + payload_at_, mark);
    sent_ns_ = now_ns();
    if (!send_request(fd_, request_))
      fail("a publisher's connection broke");
  }

  void on_ready(uint32_t) override {
    read_answers(fd_, reader_, [this](int status) {
      set_.latency_.add(now_ns() - sent_ns_);
      set_.on_answer(*this, status);
    });
  }

private:
  publisher_set& set_;
  uint16_t number_;
  int fd_;
  uint32_t sequence_ = 0;
  uint64_t sent_ns_ = 0;
  std::string request_;
  size_t topic_end_ = 0;
  size_t payload_at_ = 0;
  response_reader reader_;
};

class publisher_set::pacer final : public handler {
public:
  explicit pacer(publisher_set& set)
    : set_(set), fd_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    set_.loop_.add(fd_, *this, EPOLLIN);
  }

  ~pacer() override {
    close(fd_);
  }

  void every(uint64_t ns) {
    itimerspec spec{};
    spec.it_interval.tv_sec = static_cast<time_t>(ns / ns_per_second);
    spec.it_interval.tv_nsec = static_cast<long>(ns % ns_per_second);
    spec.it_value = spec.it_interval;
    timerfd_settime(fd_, 0, &spec, nullptr);
  }

  void on_ready(uint32_t) override {
    uint64_t ticks = 0;
    if (read(fd_, &ticks, sizeof(ticks)) > 0)
      set_.on_tick();
  }

private:
  publisher_set& set_;
  int fd_;
};

publisher_set::publisher_set(reactor& loop, const target& to, publisher_plan plan)
  : loop_(loop), target_(to), plan_(std::move(plan)), pacer_(std::make_unique<pacer>(*this)) {
  if (plan_.number_by_topic)
    topic_numbers_.resize(plan_.topics);
  for (uint64_t i = 0; i < plan_.connections; ++i) {
    connections_.push_back(std::make_unique<connection>(*this, static_cast<uint16_t>(i)));
    idle_.push_back(connections_.back().get());
  }
}

publisher_set::~publisher_set() = default;

void publisher_set::start(uint64_t count, double per_second) {
  unsent_ = count;
  sent_ = 0;
  per_second_ = per_second;
  begin_ns_ = now_ns();
  latency_.clear();
  if (per_second_ > 0) {
    // Ten times as often as events are due, within what a timer can do at little cost.
    pacer_->every(
      std::clamp(static_cast<uint64_t>(1e8 / per_second_), uint64_t{100'000}, uint64_t{5'000'000}));
    return;
  }
  pacer_->every(0);
  while (!idle_.empty() && unsent_ != 0) {
    auto* by = idle_.front();
    idle_.pop_front();
    send_next(*by);
  }
}

uint64_t publisher_set::due_ns(uint64_t event) const {
  return begin_ns_ + static_cast<uint64_t>(static_cast<double>(event) * 1e9 / per_second_);
}

void publisher_set::send_next(connection& by) {
  auto stamp = per_second_ > 0 ? due_ns(sent_) : now_ns();
  --unsent_;
  ++sent_;
  ++in_flight_;
  topic_turn_ = topic_turn_ + 1 < plan_.topics ? topic_turn_ + 1 : 0;
  by.send(stamp, topic_turn_);
}

void publisher_set::on_answer(connection& by, int status) {
  --in_flight_;
  if (status < 200 || status > 299) {
    if (failed_++ == 0)
      std::fprintf(stderr, "tidings-bench-load: a publish was answered with status %d\n", status);
  }
  if (unsent_ != 0 && (per_second_ <= 0 || due_ns(sent_) <= now_ns()))
    send_next(by);
  else
    idle_.push_back(&by);
}

void publisher_set::on_tick() {
  auto now = now_ns();
  while (unsent_ != 0 && !idle_.empty() && due_ns(sent_) <= now) {
    auto* by = idle_.front();
    idle_.pop_front();
    send_next(*by);
  }
  if (unsent_ == 0)
    pacer_->every(0);
}

} // namespace bench
