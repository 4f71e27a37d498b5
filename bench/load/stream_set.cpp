#include "stream_set.hpp"

#include "net.hpp"
#include "options.hpp"
#include "payload.hpp"

#include <cstring>
#include <sys/socket.h>

namespace bench {

class stream_set::stream final : public handler {
public:
  stream(stream_set& set, uint64_t index)
    : set_(set),
      fd_(connect_to(set.target_.port, set.first_index_ + index, set.plan_.receive_bytes)),
      last_(set.plan_.publishers) {
    set_.loop_.add_late(fd_, *this);
    auto topic = topic_name(set_.plan_.topic, set_.plan_.topics, index);
    auto request = set_.plan_.mailboxes ? set_.target_.mailbox_request(topic)
                                        : set_.target_.subscribe_request(topic, set_.plan_.since);
    if (!send_request(fd_, request))
      fail("could not send a subscribe request");
  }

  ~stream() override {
    if (fd_ >= 0)
      reset_and_close(fd_);
  }

  void on_ready(uint32_t events) override {
    auto buffer = shared_buffer();
    bool ending = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    while (fd_ >= 0) {
      auto n = recv(fd_, buffer.data(), buffer.size(), 0);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        set_.loop_.remove(fd_);
        reset_and_close(fd_);
        fd_ = -1;
        ++set_.closed_;
        return;
      }
      if (n < 0)
        return;
      set_.now_ns_ = now_ns();
      ++set_.tally_.reads;
      set_.tally_.bytes += static_cast<uint64_t>(n);
      take({buffer.data(), static_cast<size_t>(n)});
      // A short read emptied the socket: the next edge will tell.
      if (static_cast<size_t>(n) < buffer.size() && !ending)
        return;
    }
  }

  void pause() {
    if (fd_ >= 0)
      set_.loop_.remove(fd_);
  }

  void resume() {
    if (fd_ >= 0)
      set_.loop_.add_late(fd_, *this);
  }

  uint64_t events = 0;

  uint32_t& last(uint16_t publisher) {
    return last_[publisher];
  }

private:
  void take(std::string_view bytes) {
    reader_.feed(bytes, [this](std::string_view body) { scan(body); });
    if (!established_ && reader_.where() != response_reader::phase::head) {
      if (reader_.status() != 200)
        fail("a stream was answered with status " + std::to_string(reader_.status()));
      // The first bytes of the body say that the subscription stands.
      if (!got_body_)
        return;
      established_ = true;
      ++set_.established_;
    }
  }

  void scan(std::string_view body) {
    got_body_ = true;
    const char* at = body.data();
    const char* end = at + body.size();
    if (carried_ != 0) {
      auto more = std::min(mark_digits - (carried_ - 1), body.size());
      std::memcpy(carry_.data() + carried_ - 1, at, more);
      carried_ += more;
      at += more;
      if (carried_ - 1 < mark_digits)
        return;
      carried_ = 0;
      set_.on_mark(*this, carry_.data());
    }
    while (at < end) {
      at = static_cast<const char*>(std::memchr(at, mark_byte, static_cast<size_t>(end - at)));
      if (!at)
        return;
      ++at;
      auto left = static_cast<size_t>(end - at);
      if (left < mark_digits) {
        std::memcpy(carry_.data(), at, left);
        carried_ = left + 1;
        return;
      }
      set_.on_mark(*this, at);
      at += mark_digits;
    }
  }

  stream_set& set_;
  int fd_;
  bool established_ = false;
  bool got_body_ = false;
  // 0: nothing; else 1 + the digits that are there of a mark that a read cut through.
  size_t carried_ = 0;
  std::array<char, mark_digits> carry_{};
  response_reader reader_;
  std::vector<uint32_t> last_; // number, per publisher; 0: none yet
};

stream_set::stream_set(reactor& loop, const target& to, stream_plan plan, uint64_t first_index)
  : loop_(loop), target_(to), plan_(std::move(plan)), first_index_(first_index) {
  // nop
}

stream_set::~stream_set() = default;

void stream_set::open(uint64_t count) {
  constexpr uint64_t pending_max = 128;
  constexpr uint64_t patience_ns = 20 * ns_per_second;
  for (uint64_t i = 0; i < count; ++i) {
    streams_.push_back(std::make_unique<stream>(*this, streams_.size()));
    auto enough = [&] { return streams_.size() - established_ < pending_max; };
    if (!loop_.run_until(now_ns() + patience_ns, enough))
      fail("streams do not open: " + std::to_string(established_) + " of "
           + std::to_string(streams_.size()));
  }
  if (!loop_.run_until(now_ns() + patience_ns, [&] { return established_ == streams_.size(); }))
    fail("streams do not open: " + std::to_string(established_) + " of "
         + std::to_string(streams_.size()));
}

uint64_t stream_set::least_events() const {
  uint64_t least = UINT64_MAX;
  for (const auto& x : streams_)
    least = std::min(least, x->events);
  return streams_.empty() ? 0 : least;
}

void stream_set::pause() {
  for (auto& x : streams_)
    x->pause();
}

void stream_set::resume() {
  for (auto& x : streams_)
    x->resume();
}

void stream_set::on_mark(stream& at, const char* digits) {
  payload_mark mark;
  if (!read_mark(digits, mark) || mark.publisher >= plan_.publishers) {
    ++tally_.unreadable;
    return;
  }
  auto& last = at.last(mark.publisher);
  if (last != 0 || strict_) {
    if (mark.sequence > last + 1)
      tally_.missing += mark.sequence - last - 1;
    else if (mark.sequence <= last)
      ++tally_.doubled;
  }
  last = std::max(last, mark.sequence);
  ++at.events;
  ++tally_.events;
  tally_.last_event_ns = now_ns_;
  tally_.latency.add(now_ns_ > mark.sent_ns ? now_ns_ - mark.sent_ns : 0);
}

} // namespace bench
