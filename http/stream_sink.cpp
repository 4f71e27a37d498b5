#include "http/stream_sink.hpp"

namespace tidings::http {

namespace {

/// How long a client may take to close its side after the end of a stream.
constexpr auto farewell = milliseconds{5'000};

class stream_sink : public transport::user,
                    public timed,
                    public std::enable_shared_from_this<stream_sink> {
public:
  stream_sink(worker& home, std::unique_ptr<transport> socket, std::function<void()> on_end)
    : home_(home), socket_(std::move(socket)), on_end_(std::move(on_end)) {
    // nop
  }

  ~stream_sink() override {
    home_.clear_deadline(*this);
    if (on_end_)
      on_end_();
  }

  void watch() {
    socket_->wait_for_end(shared_from_this());
  }

  void attach(byte_sink::listener* who) {
    listener_ = who;
  }

  size_t write(std::span<const std::string_view> pieces) {
    size_t all = 0;
    for (auto x : pieces)
      all += x.size();
    if (gone_)
      return all;
    error_code ec;
    auto taken = socket_->write(pieces, ec);
    if (ec) { // the wait for the end hears of it, too: that is where the listener is told
      gone_ = true;
      socket_->close();
      return all;
    }
    if (taken < all && !waiting_) {
      waiting_ = true;
      socket_->wait_for_room(shared_from_this());
    }
    return taken;
  }

  void close(bool gracefully) {
    listener_ = nullptr;
    if (gracefully && !gone_) {
      socket_->finish(); // the client closes its side then, which ends the wait
      home_.set_deadline(*this, farewell);
    } else {
      socket_->close();
    }
  }

  void on_deadline() override {
    socket_->close();
  }

  std::string peer() const {
    return socket_->peer();
  }

  void on_read(error_code, size_t) override {
    gone_ = true;
    socket_->close();
    if (auto* who = std::exchange(listener_, nullptr))
      who->on_gone();
  }

  void on_room(error_code ec) override {
    waiting_ = false;
    if (ec || gone_)
      return;
    if (listener_)
      listener_->on_writable();
  }

private:
  worker& home_;
  std::unique_ptr<transport> socket_;
  std::function<void()> on_end_;
  byte_sink::listener* listener_ = nullptr;
  bool waiting_ = false;
  bool gone_ = false;
};

/// What the stream holds: the socket's own operations may outlive it.
class sink_handle : public byte_sink {
public:
  explicit sink_handle(std::shared_ptr<stream_sink> x) : x_(std::move(x)) {
    // nop
  }

  ~sink_handle() override {
    x_->attach(nullptr);
  }

  void attach(listener* who) override {
    x_->attach(who);
  }

  size_t write(std::span<const std::string_view> pieces) override {
    return x_->write(pieces);
  }

  void close(bool gracefully) override {
    x_->close(gracefully);
  }

  std::string peer() const override {
    return x_->peer();
  }

private:
  std::shared_ptr<stream_sink> x_;
};

} // namespace

std::shared_ptr<byte_sink> make_stream_sink(worker& home, std::unique_ptr<transport> socket,
                                            std::function<void()> on_end) {
  auto sink = std::make_shared<stream_sink>(home, std::move(socket), std::move(on_end));
  sink->watch();
  return std::make_shared<sink_handle>(std::move(sink));
}

} // namespace tidings::http
