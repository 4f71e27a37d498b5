#include "http/stream_sink.hpp"

namespace tidings::http {

namespace {

/// How long a client may take to close its side after the end of a stream.
constexpr auto farewell = milliseconds{5'000};

class stream_sink : public byte_sink,
                    public transport::user,
                    public timed,
                    public std::enable_shared_from_this<stream_sink> {
public:
  stream_sink(worker& home, std::unique_ptr<transport> socket, std::string header,
              std::function<void()> on_end)
    : socket_(std::move(socket)),
      header_(std::move(header)),
      home_(home),
      on_end_(std::move(on_end)) {
    // nop
  }

  ~stream_sink() override {
    home_.clear_deadline(*this);
    if (on_end_)
      on_end_();
  }

  void begin() {
    socket_->wait_for_end(shared_from_this());
    send_header();
  }

  void attach(listener* who) override {
    listener_ = who;
  }

  size_t write(std::span<const std::string_view> pieces) override {
    size_t all = 0;
    for (auto x : pieces)
      all += x.size();
    send_header();
    auto taken = header_.empty() ? hand_over(pieces) : 0;
    if (gone_)
      return all;
    if (taken < all) {
      refused_ = true;
      wait_for_room();
    }
    return taken;
  }

  void prefetch() const noexcept override {
    socket_->prefetch();
  }

  void close(bool gracefully) override {
    listener_ = nullptr;
    send_header();
    header_.clear(); // what there is no room for now comes too late
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

  std::string peer() const override {
    return socket_->peer();
  }

  void on_read(error_code ec, size_t) override {
    auto failed = gone_ || ec != boost::asio::error::eof; // a failed write closes the socket
    gone_ = true;
    socket_->close();
    if (auto* who = std::exchange(listener_, nullptr))
      who->on_gone(failed);
  }

  void on_room(error_code ec) override {
    waiting_ = false;
    if (ec || gone_)
      return;
    send_header();
    if (header_.empty() && listener_ && std::exchange(refused_, false))
      listener_->on_writable();
  }

private:
  size_t hand_over(std::span<const std::string_view> pieces) {
    if (gone_)
      return 0;
    error_code ec;
    auto taken = socket_->write(pieces, ec);
    if (ec) { // the wait for the end hears of it, too: that is where the listener is told
      gone_ = true;
      socket_->close();
    }
    return taken;
  }

  /// Behind an answer that is still on its way there may be no room for it yet.
  void send_header() {
    if (header_.empty())
      return;
    auto bytes = std::string_view{header_};
    header_.erase(0, hand_over({&bytes, 1}));
    if (header_.empty())
      std::string{}.swap(header_); // a stream lives long
    else
      wait_for_room();
  }

  void wait_for_room() {
    if (gone_ || std::exchange(waiting_, true))
      return;
    socket_->wait_for_room(shared_from_this());
  }

  std::unique_ptr<transport> socket_;
  std::string header_; // what is left of it
  bool waiting_ = false;
  bool refused_ = false; // bytes of the stream: its owner is to be told when there is room
  bool gone_ = false;
  listener* listener_ = nullptr;
  worker& home_;
  std::function<void()> on_end_;
};

} // namespace

std::shared_ptr<byte_sink> make_stream_sink(worker& home, std::unique_ptr<transport> socket,
                                            std::string header, std::function<void()> on_end) {
  auto sink =
    std::make_shared<stream_sink>(home, std::move(socket), std::move(header), std::move(on_end));
  sink->begin();
  return sink;
}

} // namespace tidings::http
