#include "http/handlers/subscribe.hpp"

#include "http/accept.hpp"
#include "http/gate.hpp"
#include "http/handlers/streaming.hpp"
#include "http/problem.hpp"
#include "http/profiles/profiles.hpp"
#include "http/stream_parameters.hpp"

#include <spdlog/spdlog.h>

namespace tidings::http {

namespace {

/// A page of history; with a wait, one that is made again when an event comes before it is
/// answered.
class page_reading : public std::enable_shared_from_this<page_reading> {
public:
  page_reading(session& s, caller_ptr by, page_parameters what)
    : session_(s.weak_from_this()),
      by_(std::move(by)),
      request_(std::move(what.page)),
      wait_(what.wait) {
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
    if (x->events != 0 || x->more || x->has_gap || wait_.count() == 0 || waited_)
      return answer(std::move(*x));
    request_.since = x->covered; // `now` must not move while waiting
    request_.goes_on = true;
    request_.seen = x->seen;
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
    if (auto why =
          check_still_good(*s->broker().gate.load(), by_, s->local_shard().clock().wall_ms()))
      return s->respond(problem(*why));
    response r;
    r.status = 200;
    r.content_type = "application/json";
    r.headers.emplace_back("Cache-Control", "no-store");
    r.body = std::move(x.json);
    r.body += '\n';
    s->respond(r);
  }

  std::weak_ptr<session> session_;
  caller_ptr by_; // rights may end while it waits
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
    open(s, x, *shape);
  }

  void on_deadline(session&) override {
    if (page_)
      page_->on_deadline();
  }

  void on_drain(session&) override {
    if (page_)
      page_->on_deadline();
  }

private:
  void read_page(session& s, request& x) {
    auto& home = s.local_shard();
    auto what = parse_page_parameters(x, home.settings().limits, home.clock().wall_ms());
    if (!what)
      return s.respond(problem(what.error()));
    what->page.mailbox_of = mailbox_of(x);
    page_ = std::make_shared<page_reading>(s, x.who, std::move(*what));
    page_->start(s);
  }

  void open(session& s, request& x, representation shape) {
    auto& home = s.local_shard();
    auto& cfg = home.settings();
    auto what = parse_stream_parameters(x, shape, cfg.limits, home.clock().wall_ms());
    if (!what)
      return s.respond(problem(what.error()));
    auto manners = x.raw_path == "/events" ? settings_of(cfg, profile_kind::topics)
                                           : profile_settings{.enabled = false};
    if (manners.enabled && manners.sign_in && !is_user(x.who))
      return s.respond(sign_in_first());
    stream_opening opening;
    auto user = mailbox_of(x);
    opening.what = {
      what->who, std::move(what->start), profile_of(*what, manners, x, cfg), reader_of(x, user), {},
      user};
    opening.shape = shape;
    opening.streams_per_user = cfg.limits.streams_per_user;
    opening.replace_oldest = cfg.limits.replace_oldest;
    if (manners.enabled && manners.streams_per_user != 0) {
      opening.counted_as = "topics";
      opening.streams_per_user = manners.streams_per_user;
      opening.replace_oldest = manners.replace_oldest;
    }
    open_stream(s, x, std::move(opening));
  }

  /// Whose mailbox it is about, of those that are somebody's own.
  static std::string mailbox_of(const request& x) {
    if (x.raw_path.starts_with("/users/")) {
      auto user = user_of_path(x);
      return user ? std::move(*user) : std::string{};
    }
    return x.who ? x.who->user : std::string{};
  }

  /// An open broker takes everybody at their word.
  static caller_ptr reader_of(const request& x, const std::string& user) {
    if (!x.who || x.who->how != caller::way::open || x.who->user == user)
      return x.who;
    auto copy = std::make_shared<caller>(*x.who);
    copy->user = user;
    return copy;
  }

  static std::shared_ptr<const stream_profile> profile_of(const stream_parameters& what,
                                                          const profile_settings& manners,
                                                          const request& x, const config& cfg) {
    auto format = manners.enabled && manners.envelope && what.format == wire_format::sse
                    ? wire_format::sse_envelope
                    : what.format;
    auto profile = std::make_shared<stream_profile>(make_profile(cfg, format, x.http11));
    if (manners.enabled)
      adopt(*profile, manners);
    profile->heartbeat_interval = what.heartbeat.value_or(profile->heartbeat_interval);
    profile->heartbeat = what.shape.value_or(profile->heartbeat);
    profile->overflow = what.overflow.value_or(profile->overflow);
    return profile;
  }

  std::shared_ptr<page_reading> page_;
};

} // namespace

std::shared_ptr<exchange> make_subscribe() {
  return std::make_shared<subscribe>();
}

} // namespace tidings::http
