#include "http/session.hpp"

#include "http/cors.hpp"
#include "http/exchange.hpp"
#include "http/gate.hpp"
#include "http/problem.hpp"
#include "http/profiles/profiles.hpp"
#include "http/refusal.hpp"
#include "http/request_rules.hpp"
#include "tidings/text.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>

namespace tidings::http {

namespace {

constexpr size_t first_read_bytes = 4 * 1024;
constexpr size_t body_read_bytes = 64 * 1024;

/// After an answer that ends the connection, what the client is still sending is read and dropped,
/// within these bounds: closing at once would reset the connection and could destroy the answer on
/// its way.
constexpr size_t linger_bytes_max = 4 * 1024 * 1024;
constexpr auto linger_time = milliseconds{2'000};

/// Of the body of a request that is refused whatever is in it. A longer one costs the connection.
constexpr size_t refused_body_bytes_max = 16 * 1024;

/// What a connection holds that is less than this is not counted.
constexpr size_t held_bytes_min = 16 * 1024;

failure held_too_much(const char* what, const limits_config& limits) {
  return {errc::overloaded, std::string{what} + " under way hold more than the "
                              + std::to_string(limits.transfer_bytes)
                              + " bytes of limits.transfer-bytes; try again"};
}

} // namespace

session::session(worker& home, broker_context& broker, std::unique_ptr<transport> socket)
  : home_(home), broker_(broker), socket_(std::move(socket)), peer_(socket_->peer()) {
  // nop
}

session::~session() {
  home_.clear_deadline(*this);
  let_go();
  if (socket_) // not given to a stream
    subtract(broker_.stats->connections_open);
}

void session::start() {
  home_.admit(shared_from_this());
  home_.set_deadline(*this, local_shard().settings().limits.header_timeout);
  socket_->handshake(shared_from_this());
}

void session::drain() {
  draining_ = true;
  keep_alive_ = false;
  if (state_ == state::head && in_used_ == 0)
    return close();
  if (state_ == state::handling)
    if (auto x = exchange_) // may end in it
      x->on_drain(*this);
}

void session::abort() {
  close();
}

// -- reading
// -------------------------------------------------------------------------------------------

void session::read_more() {
  if (reading_ || state_ == state::closed)
    return;
  auto& limits = local_shard().settings().limits;
  auto want = state_ == state::body ? body_read_bytes : first_read_bytes;
  if (state_ == state::head)
    want = std::min<size_t>(std::max<size_t>(in_used_, first_read_bytes), limits.header_bytes + 1);
  if (in_.size() < in_used_ + want)
    in_.resize(in_used_ + want);
  reading_ = true;
  socket_->read(boost::asio::buffer(in_.data() + in_used_, in_.size() - in_used_),
                shared_from_this());
}

void session::on_read(error_code ec, size_t n) {
  reading_ = false;
  if (state_ == state::closed)
    return;
  if (ec)
    return close();
  if (state_ == state::handshake) {
    state_ = state::head;
    home_.set_deadline(*this, local_shard().settings().limits.header_timeout);
    return read_more();
  }
  if (state_ == state::lingering) {
    lingered_ += n;
    if (lingered_ > linger_bytes_max)
      return close();
    return read_more();
  }
  auto& limits = local_shard().settings().limits;
  if (state_ == state::head && in_used_ == 0)
    home_.set_deadline(*this, limits.header_timeout);
  else if (state_ == state::body)
    home_.set_deadline(*this, exchange_->streams()
                                ? limits.body_timeout
                                : time_for(limits.body_timeout, reader_->body_bytes() + n));
  in_used_ += n;
  process();
}

/// Goes as far as what has been received allows. One request at a time; loops over pipelined ones.
void session::process() {
  if (std::exchange(processing_, true))
    return;
  auto go_on = true;
  while (go_on) {
    switch (state_) {
      case state::head:
        if (draining_ && in_used_ == 0)
          close();
        else
          go_on = process_head();
        break;
      case state::body:
        go_on = process_body();
        break;
      default:
        go_on = false;
    }
  }
  processing_ = false;
}

/// @returns whether to go on in the next state
bool session::process_head() {
  auto& limits = local_shard().settings().limits;
  auto received = std::string_view{in_.data(), in_used_};
  auto end = find_head_end(received, scanned_);
  if (!end) {
    scanned_ = in_used_;
    if (auto why = check_partial_head(received, limits)) {
      fail({why->code, why->detail}, why->status);
      return false;
    }
    read_more();
    return false;
  }
  auto head = received.substr(0, *end);
  scanned_ = 0;
  add(broker_.stats->requests);
  chunked_answer_ = false;
  head_only_ = false;
  answer_begun_ = false;
  answer_done_ = false;
  answer_bytes_ = 0;
  transfer_begin_ms_.reset();
  body_done_ = false;
  paused_ = false;
  if (auto why = check_request_head(head, limits)) {
    fail({why->code, why->detail}, why->status);
    return false;
  }
  reader_ = std::make_unique<request_reader>();
  if (auto why = reader_->read_head(head)) {
    fail(*why, 400);
    return false;
  }
  auto& x = reader_->content();
  keep_alive_ = reader_->keep_alive() && x.http11 && !draining_;
  head_only_ = x.method == bhttp::verb::head;
  exchange_ = let_in(x);
  auto claimed = reader_->content_length();
  if (!exchange_->wants_body() && claimed > refused_body_bytes_max)
    return refuse_without_body(*end);
  if (!exchange_->streams() && claimed > limits.body_bytes) {
    fail({errc::payload_too_large,
          "the body is longer than " + std::to_string(limits.body_bytes) + " bytes"},
         413);
    return false;
  }
  if (reader_->expects_continue() && x.http11 && !reader_->done() && *end == in_used_) {
    if (!exchange_->wants_body())
      return refuse_without_body(*end);
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    flush();
  }
  consume(*end);
  state_ = state::body;
  home_.set_deadline(*this, limits.body_timeout);
  if (exchange_->streams()) {
    exchange_->begin(*this, x);
    if (answer_done_ && state_ == state::body)
      state_ = state::handling; // it was refused, which is still on its way out
  }
  return state_ == state::body;
}

/// Answers a refused request before its body, which costs the connection.
/// @returns whether to go on in the next state
bool session::refuse_without_body(size_t head_bytes) {
  consume(head_bytes);
  state_ = state::handling;
  home_.clear_deadline(*this);
  auto keep = exchange_;
  keep->begin(*this, reader_->content());
  return false;
}

/// Finds out who asks, before anything else looks at the request.
std::shared_ptr<exchange> session::let_in(request& x) {
  if (!is_for_anybody(x)) {
    auto gate = broker_.gate.load();
    auto who = identify(*gate, x, address(), local_shard().clock().wall_ms());
    if (!who)
      return make_refusal(who.error());
    x.who = std::move(*who);
  }
  return route(x, local_shard().settings());
}

/// @returns whether to go on in the next state
bool session::process_body() {
  auto& limits = local_shard().settings().limits;
  if (paused_)
    return false;
  if (!reader_->done()) {
    if (in_used_ == 0) {
      read_more();
      return false;
    }
    auto used = reader_->read_body({in_.data(), in_used_});
    if (!used) {
      fail(used.error(), 400);
      return false;
    }
    consume(*used);
    if (!exchange_->wants_body() && reader_->body_bytes() > refused_body_bytes_max)
      return refuse_without_body(0);
    if (!exchange_->streams() && !hold(broker_.stats->body_bytes, reader_->body_bytes())) {
      fail(held_too_much("requests", limits), 503);
      return false;
    }
    if (!exchange_->streams() && reader_->body_bytes() > limits.body_bytes) {
      fail({errc::payload_too_large,
            "the body is longer than " + std::to_string(limits.body_bytes) + " bytes"},
           413);
      return false;
    }
    if (*used == 0 && !reader_->done()) {
      // A chunk head in pieces: Beast wants more of it at once.
      if (in_used_ > limits.header_bytes) {
        fail({errc::invalid_request, "a chunk head is too long"}, 400);
        return false;
      }
      read_more();
      return false;
    }
  }
  auto complete = reader_->done();
  if (exchange_->streams()) {
    auto piece = reader_->take_body();
    if (complete) {
      body_done_ = true;
      state_ = state::handling;
      if (!waiting_for_room_)
        home_.set_deadline(*this, limits.publish_timeout);
    }
    auto x = exchange_;
    if (!x->on_body(*this, piece, complete) && !complete && state_ == state::body) {
      paused_ = true;
      home_.set_deadline(*this, waiting_for_room_ ? limits.write_timeout : limits.publish_timeout);
      return false;
    }
    return state_ == state::body || state_ == state::head;
  }
  if (!complete)
    return true;
  auto& x = reader_->content();
  x.body = reader_->take_body();
  body_done_ = true;
  state_ = state::handling;
  home_.clear_deadline(*this);
  auto keep = exchange_;
  keep->begin(*this, x);
  if (draining_ && state_ == state::handling && exchange_ == keep)
    keep->on_drain(*this);
  return state_ == state::head;
}

void session::resume_body() {
  if (!paused_ || state_ != state::body)
    return;
  paused_ = false;
  home_.set_deadline(*this, local_shard().settings().limits.body_timeout);
  process();
}

void session::consume(size_t n) {
  in_.erase(0, n);
  in_used_ -= n;
}

// -- writing
// -------------------------------------------------------------------------------------------

void session::respond(const response& x) {
  if (!body_done_)
    keep_alive_ = false; // the rest of the request is not wanted
  auto content = x;
  auto& limits = local_shard().settings().limits;
  // What is small goes out whatever others hold, and so does what a request has led to.
  auto is_read = reader_ && reader_->content().method == bhttp::verb::get;
  if (is_read && content.body.size() >= held_bytes_min
      && value(broker_.stats->answer_bytes) + content.body.size() > limits.transfer_bytes) {
    content = problem(held_too_much("answers", limits));
    keep_alive_ = false;
  }
  if (reader_) {
    auto& asked = reader_->content();
    if (asked.fields)
      for (auto& header :
           cors_headers(allowed_origins(asked, settings()), asked.field(bhttp::field::origin)))
        content.headers.push_back(std::move(header));
  }
  append_response(out_, content, home().date(), keep_alive_, head_only_);
  begin_answer();
  flush();
}

void session::respond_raw(std::string header) {
  out_ += header;
  begin_answer();
  flush();
}

/// What is in `out_` is the whole answer.
void session::begin_answer() {
  answer_bytes_ = unsent();
  transfer_begin_ms_.reset();
  answer_done_ = true;
}

void session::begin_streaming(std::string_view content_type) {
  auto& x = reader_->content();
  chunked_answer_ = x.http11;
  if (!chunked_answer_)
    keep_alive_ = false;
  out_ += x.http11 ? "HTTP/1.1 200 OK\r\nContent-Type: " : "HTTP/1.0 200 OK\r\nContent-Type: ";
  out_ += content_type;
  out_ += "\r\nDate: " + home().date();
  out_ += "\r\nX-Content-Type-Options: nosniff\r\n";
  for (auto& [name, value] :
       cors_headers(local_shard().settings().server.cors_origins, x.field(bhttp::field::origin)))
    out_ += name + ": " + value + "\r\n";
  if (chunked_answer_)
    out_ += "Transfer-Encoding: chunked\r\n";
  if (!keep_alive_)
    out_ += "Connection: close\r\n";
  out_ += "\r\n";
  answer_begun_ = true;
}

void session::write_piece(std::string_view bytes) {
  if (bytes.empty() || state_ == state::closed)
    return;
  if (chunked_answer_) {
    char head[20];
    auto n = std::snprintf(head, sizeof head, "%zx\r\n", bytes.size());
    out_.append(head, static_cast<size_t>(n));
  }
  out_ += bytes;
  if (chunked_answer_)
    out_ += "\r\n";
  flush();
}

void session::end_streaming() {
  if (state_ == state::closed)
    return;
  if (!body_done_)
    keep_alive_ = false;
  if (chunked_answer_)
    out_ += "0\r\n\r\n";
  answer_done_ = true;
  flush();
}

void session::fail(const failure& why, unsigned status) {
  add(broker_.stats->requests_refused);
  if (spdlog::should_log(spdlog::level::trace)) // not even at debug should anybody fill the log
    spdlog::trace("request refused address={} status={} code={} detail=\"{}\"", address(), status,
                  to_string(why.code), for_log(why.detail));
  if (answer_begun_) // its header is out: another cannot follow
    return close();
  keep_alive_ = false;
  auto x = problem(why);
  x.status = status;
  state_ = state::handling;
  answer_done_ = false;
  exchange_.reset();
  respond(x);
}

void session::flush() {
  if (waiting_for_room_ || state_ == state::closed)
    return;
  if (unsent() != 0) {
    auto bytes = std::string_view{out_}.substr(out_begin_);
    error_code ec;
    out_begin_ += socket_->write({&bytes, 1}, ec);
    if (ec)
      return close();
    if (out_begin_ * 2 >= out_.size()) {
      out_.erase(0, std::exchange(out_begin_, 0));
      if (out_.capacity() > body_read_bytes && out_.size() * 2 < out_.capacity())
        out_.shrink_to_fit();
    }
    if (unsent() != 0)
      return wait_for_room();
    if (answer_begun_)
      let_go();
  }
  if (!answer_done_ || state_ == state::head)
    return;
  if (socket_->is_writing()) // the end may be a close, which would lose it
    return wait_for_room();
  answered();
}

void session::wait_for_room() {
  waiting_for_room_ = true;
  hold(broker_.stats->answer_bytes, out_.size());
  auto& limits = local_shard().settings().limits;
  home_.set_deadline(
    *this, answer_begun_
             ? limits.write_timeout
             : time_for(limits.write_timeout, answer_bytes_ - std::min(answer_bytes_, unsent())));
  socket_->wait_for_room(shared_from_this());
}

/// Counts what this connection holds of its request or of its answer: of one at a time.
/// @returns whether it holds no more than before, or all connections together do not hold too much
bool session::hold(statistics::counter& in, size_t bytes) {
  if (bytes < held_bytes_min)
    bytes = 0;
  if (held_in_ != &in)
    let_go();
  if (bytes == held_)
    return true;
  auto more = bytes > held_;
  auto all = in += bytes - held_; // modulo, if it is less
  held_in_ = &in;
  held_ = bytes;
  return !more || all <= settings().limits.transfer_bytes;
}

void session::let_go() {
  if (held_in_)
    subtract(*held_in_, std::exchange(held_, 0));
  held_in_ = nullptr;
}

/// How long the body or the answer that is under way may wait for its next byte.
/// @param bytes of it so far
milliseconds session::time_for(milliseconds without_progress, size_t bytes) {
  auto rate = settings().limits.transfer_rate_min;
  if (rate == 0)
    return without_progress;
  auto now = local_shard().clock().steady_ms();
  if (!transfer_begin_ms_)
    transfer_begin_ms_ = now;
  auto passed = now - *transfer_begin_ms_;
  auto all = without_progress.count() + static_cast<int64_t>(1000 * bytes / rate);
  return std::clamp(milliseconds{all - passed}, milliseconds{0}, without_progress);
}

void session::on_room(error_code ec) {
  waiting_for_room_ = false;
  if (state_ == state::closed)
    return;
  if (ec)
    return close();
  flush();
  if (auto x = exchange_; x && !waiting_for_room_ && state_ != state::closed)
    x->on_room(*this);
}

/// The answer is out: on to the next request.
void session::answered() {
  exchange_.reset();
  let_go();
  if (!keep_alive_ || !body_done_)
    return linger();
  reader_.reset();
  head_only_ = false; // also of an answer to what never becomes a request
  answer_begun_ = false;
  state_ = state::head;
  auto& limits = local_shard().settings().limits;
  home_.set_deadline(*this, in_used_ == 0 ? limits.idle_timeout : limits.header_timeout);
  if (in_.capacity() > body_read_bytes && in_used_ == 0) {
    in_.clear();
    in_.shrink_to_fit();
  }
  process();
}

void session::linger() {
  state_ = state::lingering;
  reader_.reset();
  socket_->finish();
  in_used_ = 0;
  home_.set_deadline(*this, linger_time);
  read_more();
}

void session::on_deadline() {
  switch (state_) {
    case state::handling:
      if (waiting_for_room_ || !exchange_)
        return close();
      return ask_exchange();
    case state::head:
      if (in_used_ == 0)
        return close();
      return fail({errc::invalid_request, "the request head did not come in time"}, 408);
    case state::body:
      if (waiting_for_room_)
        return close();
      if (paused_)
        return ask_exchange();
      return fail({errc::invalid_request, "the request body did not come in time"}, 408);
    default:
      return close();
  }
}

/// A deadline has passed that the exchange has to know of.
void session::ask_exchange() {
  auto x = exchange_; // may end in it
  x->on_deadline(*this);
}

void session::close() {
  if (state_ == state::closed)
    return;
  state_ = state::closed;
  exchange_.reset();
  home_.clear_deadline(*this);
  if (socket_)
    socket_->close();
  home_.dismiss(*this);
}

std::unique_ptr<transport> session::release(std::string& header) {
  out_.erase(0, std::exchange(out_begin_, 0));
  header = std::exchange(out_, {}) + header;
  state_ = state::closed;
  home_.clear_deadline(*this);
  home_.dismiss(*this);
  return std::move(socket_);
}

} // namespace tidings::http
