#include "http/handlers/subscribe.hpp"

#include "http/accept.hpp"
#include "http/cors.hpp"
#include "http/gate.hpp"
#include "http/problem.hpp"
#include "http/stream_parameters.hpp"
#include "http/stream_sink.hpp"

#include <spdlog/spdlog.h>

namespace tidings::http {

namespace {

/// A page of history; with a wait, one that is made again when an event comes before it is
/// answered.
class page_reading : public std::enable_shared_from_this<page_reading> {
public:
  page_reading(session& s, page_parameters what)
    : session_(s.weak_from_this()), request_(std::move(what.page)), wait_(what.wait) {
    // nop
  }

  void start(session& s) {
    auto& home = s.local_shard();
    if (wait_.count() != 0) {
      // First the wait, then the page: an event between the two is in one of them.
      waiting_ = home.wait_for_event(request_.who, [weak = weak_from_this()] {
        if (auto me = weak.lock())
          me->on_event();
      });
      s.home().set_deadline(s, wait_);
    }
    read();
  }

  /// The wait is over.
  void on_deadline() {
    waiting_.reset();
    if (empty_)
      answer(std::move(*empty_));
    else
      waited_ = true;
  }

private:
  void read() {
    auto s = session_.lock();
    if (!s)
      return;
    reading_ = true;
    s->local_shard().others().read_page(
      request_, [me = shared_from_this()](result<page> x) { me->on_page(std::move(x)); });
  }

  void on_event() {
    waiting_.reset();
    came_ = true;
    if (!reading_)
      read();
  }

  void on_page(result<page> x) {
    reading_ = false;
    auto s = session_.lock();
    if (!s || done_)
      return;
    if (!x) {
      done_ = true;
      waiting_.reset();
      return s->respond(problem(x.error()));
    }
    if (x->events != 0 || wait_.count() == 0 || waited_)
      return answer(std::move(*x));
    request_.since = x->covered; // `now` must not move while waiting
    empty_ = std::move(*x);
    if (std::exchange(came_, false))
      rearm(*s);
  }

  /// The event that came is not in the page: it had expired, or came after the page was read.
  void rearm(session& s) {
    waiting_ = s.local_shard().wait_for_event(request_.who, [weak = weak_from_this()] {
      if (auto me = weak.lock())
        me->on_event();
    });
    read();
  }

  void answer(page x) {
    auto s = session_.lock();
    if (!s || std::exchange(done_, true))
      return;
    waiting_.reset();
    s->home().clear_deadline(*s);
    response r;
    r.status = 200;
    r.content_type = "application/json";
    r.headers.emplace_back("Cache-Control", "no-store");
    r.body = std::move(x.json);
    r.body += '\n';
    s->respond(r);
  }

  std::weak_ptr<session> session_;
  page_request request_;
  milliseconds wait_{};
  std::unique_ptr<event_wait> waiting_;
  std::optional<page> empty_;
  bool reading_ = false;
  bool came_ = false;
  bool waited_ = false;
  bool done_ = false;
};

class subscribe : public exchange {
public:
  void begin(session& s, request& x) override {
    auto shape = negotiate(x.all_of(bhttp::field::accept));
    if (!shape)
      return s.respond(
        problem({errc::not_acceptable, "this can be had as text/event-stream, application/json or "
                                       "application/x-ndjson"}));
    if (*shape == representation::json)
      return read_page(s, x);
    open_stream(s, x, *shape);
  }

  void on_deadline(session&) override {
    if (page_)
      page_->on_deadline();
  }

private:
  void read_page(session& s, request& x) {
    auto& home = s.local_shard();
    auto what = parse_page_parameters(x, home.settings().limits, home.clock().wall_ms());
    if (!what)
      return s.respond(problem(what.error()));
    page_ = std::make_shared<page_reading>(s, std::move(*what));
    page_->start(s);
  }

  void open_stream(session& s, request& x, representation shape) {
    auto& home = s.local_shard();
    auto& cfg = home.settings();
    auto what = parse_stream_parameters(x, shape, cfg.limits, home.clock().wall_ms());
    if (!what)
      return s.respond(problem(what.error()));
    auto header = stream_header(x, shape, cfg, s.home().date());
    if (x.method == bhttp::verb::head)
      return s.respond_raw(std::move(header));
    auto reader = reader_of(x);
    auto places = take_places(s, x);
    if (!places)
      return s.respond(problem(places.error()));
    auto& owner = s.home();
    auto stats = home.shared_stats();
    auto socket = s.release(std::move(header));
    if (!socket)
      return;
    auto sink = make_stream_sink(owner, std::move(socket), [stats, kept = *places] {
      subtract(stats->connections_open);
    });
    auto id = home.open_stream(
      {what->who, std::move(what->start), profile_of(*what, cfg, x.http11), reader},
      std::move(sink));
    for (auto& place : *places)
      place->settle(id);
  }

  using places = std::vector<std::shared_ptr<stream_census::place>>;

  /// Counts the stream for its user and its address. The bounds are low for whom they are for: a
  /// stream that should come back is refused only if the operator wants that.
  static result<places> take_places(session& s, const request& x) {
    auto& limits = s.local_shard().settings().limits;
    places taken;
    auto enter = [&](const std::string& key, uint32_t max) {
      auto admitted = s.broker().census->enter(key, max, limits.replace_oldest);
      if (!admitted.taken)
        return false;
      taken.push_back(std::move(admitted.taken));
      for (auto id : admitted.replaced)
        s.local_shard().others().close_connection(id, end_reason::replaced, [](bool) {});
      return true;
    };
    if (x.who && !x.who->user.empty() && !enter("user " + x.who->user, limits.streams_per_user))
      return failure{errc::rate_limited, "you have " + std::to_string(limits.streams_per_user)
                                           + " streams open already"};
    auto address = s.peer().substr(0, s.peer().rfind(':'));
    if (limits.streams_per_address != 0
        && !enter("address " + address, limits.streams_per_address))
      return failure{errc::rate_limited, "your address has "
                                           + std::to_string(limits.streams_per_address)
                                           + " streams open already"};
    return taken;
  }

  /// Whose stream it is: a user's stream is that user's, whoever was let in to it.
  static caller_ptr reader_of(const request& x) {
    if (!x.raw_path.starts_with("/users/"))
      return x.who;
    auto user = user_of_path(x);
    if (x.who && x.who->user == *user)
      return x.who;
    auto copy = std::make_shared<caller>();
    if (x.who)
      *copy = *x.who;
    else
      copy->how = caller::way::open;
    copy->user = *user;
    return copy;
  }

  static std::shared_ptr<const stream_profile> profile_of(const stream_parameters& what,
                                                          const config& cfg, bool chunked) {
    auto profile = std::make_shared<stream_profile>(make_profile(cfg, what.format, chunked));
    profile->heartbeat_interval = what.heartbeat.value_or(profile->heartbeat_interval);
    profile->heartbeat = what.shape.value_or(profile->heartbeat);
    profile->overflow = what.overflow;
    return profile;
  }

  static std::string stream_header(const request& x, representation shape, const config& cfg,
                                   std::string_view date) {
    std::string out = x.http11 ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.0 200 OK\r\n";
    out += shape == representation::ndjson ? "Content-Type: application/x-ndjson\r\n"
                                           : "Content-Type: text/event-stream; charset=utf-8\r\n";
    out += "Date: ";
    out += date;
    out += "\r\n"
           "Cache-Control: no-store\r\n"
           "X-Accel-Buffering: no\r\n"
           "X-Content-Type-Options: nosniff\r\n";
    for (auto& [name, value] : cors_headers(cfg.server.cors_origins, x.field(bhttp::field::origin)))
      out += name + ": " + value + "\r\n";
    out += x.http11 ? "Transfer-Encoding: chunked\r\n\r\n" : "Connection: close\r\n\r\n";
    return out;
  }

  std::shared_ptr<page_reading> page_;
};

} // namespace

std::shared_ptr<exchange> make_subscribe() {
  return std::make_shared<subscribe>();
}

} // namespace tidings::http
