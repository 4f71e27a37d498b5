#include "follower_set.hpp"

#include "net.hpp"
#include "response_reader.hpp"

#include <sys/socket.h>

namespace bench {

class follower_set::follower final : public handler {
public:
  follower(follower_set& set, uint64_t index) : set_(set), index_(index) {
    // nop
  }

  ~follower() override {
    drop();
  }

  void open() {
    const auto& plan = set_.plan_;
    began_ns_ = now_ns();
    fd_ = try_connect_to(plan.ports[node_], plan.first_index + index_);
    if (fd_ < 0)
      return refused();
    reader_.next();
    ++set_.opening_;
    is_opening_ = true;
    set_.loop_.add(fd_, *this);
    auto topic = topic_name(plan.topic, plan.topics, index_);
    if (!send_request(fd_, set_.target_.resume_request(topic, lines_.last_id())))
      refused();
  }

  void drop() {
    if (fd_ < 0)
      return;
    set_.loop_.remove(fd_);
    reset_and_close(fd_);
    fd_ = -1;
    lines_.cut();
    if (is_opening_)
      --set_.opening_;
    else
      --set_.open_;
    is_opening_ = false;
  }

  void on_ready(uint32_t events) override {
    auto buffer = shared_buffer();
    bool ending = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    while (fd_ >= 0) {
      auto n = recv(fd_, buffer.data(), buffer.size(), 0);
      if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
      if (n <= 0)
        return is_opening_ ? refused() : ended();
      now_ns_ = now_ns();
      reader_.feed({buffer.data(), static_cast<size_t>(n)}, [this](std::string_view body) {
        got_body_ = true;
        lines_.feed(body, [this](const payload_mark& mark) { take(mark); });
      });
      if (is_opening_ && reader_.where() != response_reader::phase::head) {
        if (reader_.status() != 200)
          return refused();
        if (got_body_)
          opened();
      }
      // The end of the last chunk: the stream is over, whoever closes first.
      if (reader_.where() == response_reader::phase::done)
        return ended();
      if (static_cast<size_t>(n) < buffer.size() && !ending)
        return;
    }
  }

  void want(uint32_t number) {
    wanted_ = number;
    if (numbers_.up_to() >= wanted_)
      ++set_.satisfied_;
  }

  uint64_t topic() const {
    return index_ % set_.plan_.topics;
  }

  bool is_closed() const {
    return fd_ < 0;
  }

  uint32_t missing() const {
    return numbers_.missing();
  }

  uint32_t gaps() const {
    return lines_.gaps();
  }

private:
  void opened() {
    is_opening_ = false;
    got_body_ = false;
    --set_.opening_;
    ++set_.open_;
    set_.tally_.opening.add(now_ns_ - began_ns_);
  }

  void ended() {
    ++set_.tally_.ended;
    come_back(set_.plan_.retry_ms);
  }

  void refused() {
    ++set_.tally_.refused;
    // Somebody may just be restarting: no hammering.
    come_back(std::max<uint64_t>(set_.plan_.retry_ms, 20));
  }

  void come_back(uint64_t after_ms) {
    drop();
    got_body_ = false;
    node_ = (node_ + 1) % set_.plan_.ports.size();
    set_.closed_.push_back({now_ns() + after_ms * 1'000'000, this});
  }

  void take(const payload_mark& mark) {
    auto& tally = set_.tally_;
    if (mark.publisher != topic()) {
      ++tally.unreadable;
      return;
    }
    if (!began_ && !set_.strict_)
      numbers_.begin_with(mark.sequence);
    began_ = true;
    const auto had = numbers_.up_to();
    switch (numbers_.add(mark.sequence)) {
      case arrivals::verdict::again:
        ++tally.doubled;
        return;
      case arrivals::verdict::late:
        ++tally.late;
        break;
      case arrivals::verdict::in_order:
        break;
    }
    if (had < wanted_ && numbers_.up_to() >= wanted_)
      ++set_.satisfied_;
    ++tally.events;
    tally.last_event_ns = now_ns_;
    tally.latency.add(now_ns_ > mark.sent_ns ? now_ns_ - mark.sent_ns : 0);
  }

  follower_set& set_;
  uint64_t index_;
  int fd_ = -1;
  bool is_opening_ = false;
  bool got_body_ = false;
  bool began_ = false;
  size_t node_ = 0;
  uint64_t began_ns_ = 0;
  uint64_t now_ns_ = 0;
  uint32_t wanted_ = 0;
  arrivals numbers_;
  event_lines lines_;
  response_reader reader_;
};

follower_set::follower_set(reactor& loop, const target& to, follower_plan plan, uint64_t count)
  : loop_(loop), target_(to), plan_(std::move(plan)) {
  for (uint64_t i = 0; i < count; ++i)
    followers_.push_back(std::make_unique<follower>(*this, i));
}

follower_set::~follower_set() = default;

void follower_set::open() {
  closed_.clear();
  for (auto& x : followers_)
    if (x->is_closed())
      closed_.push_back({0, x.get()});
}

void follower_set::tend() {
  const auto now = now_ns();
  while (!closed_.empty() && opening_ < plan_.opening_max && closed_.front().due_ns <= now) {
    auto* who = closed_.front().who;
    closed_.pop_front();
    who->open();
  }
}

void follower_set::drop() {
  closed_.clear();
  for (auto& x : followers_)
    x->drop();
}

void follower_set::want(const std::vector<uint32_t>& numbers) {
  satisfied_ = 0;
  for (auto& x : followers_)
    x->want(numbers[x->topic()]);
}

uint64_t follower_set::missing() const {
  uint64_t sum = 0;
  for (const auto& x : followers_)
    sum += x->missing();
  return sum;
}

uint64_t follower_set::gaps() const {
  uint64_t sum = 0;
  for (const auto& x : followers_)
    sum += x->gaps();
  return sum;
}

} // namespace bench
