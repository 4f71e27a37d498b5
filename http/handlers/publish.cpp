#include "http/handlers/publish.hpp"

#include "http/accept.hpp"
#include "http/cloud_events.hpp"
#include "http/handlers/outcome.hpp"
#include "http/handlers/publishing.hpp"
#include "http/problem.hpp"
#include "http/publication.hpp"

namespace tidings::http {

namespace {

/// Publishes what a request holds as a whole: one event, or several that are stored together.
class publish_exchange : public exchange, public publish_listener {
public:
  void begin(session& s, request& x) override {
    session_ = s.weak_from_this();
    auto parsed = parse(s, x);
    if (std::holds_alternative<response>(parsed))
      return s.respond(std::get<response>(parsed));
    auto& xs = std::get<std::vector<publication>>(parsed);
    if (xs.empty())
      return s.respond(problem({errc::invalid_event, "the array holds no event"}));
    auto me = std::static_pointer_cast<publish_exchange>(shared_from_this());
    if (auto why = submit(s, std::move(xs), array_, me, 0))
      return s.respond(problem(*why));
    s.home().set_deadline(s, s.local_shard().settings().limits.publish_timeout);
  }

  void on_published(const publish_ptr& x) override {
    auto s = session_.lock();
    if (!s || answered_)
      return;
    answered_ = true;
    auto& home = s->local_shard();
    count_outcomes(home.stats(), *x);
    s->home().clear_deadline(*s);
    s->respond(array_ ? render_outcomes(*x, home.node())
                      : render_outcome(x->items.front(), home.node()));
  }

  void on_deadline(session& s) override {
    if (std::exchange(answered_, true))
      return;
    s.respond(problem({errc::indeterminate,
                       "the event was accepted but is not stored yet; a repeat with the same "
                       "Idempotency-Key is safe"}));
  }

protected:
  using parsed_request = std::variant<std::vector<publication>, response>;

  virtual parsed_request parse(session& s, request& x) = 0;

  static parsed_request one(result<publication> x) {
    if (!x)
      return problem(x.error());
    std::vector<publication> xs;
    xs.push_back(std::move(*x));
    return xs;
  }

  bool array_ = false;

private:
  std::weak_ptr<session> session_;
  bool answered_ = false;
};

class publish_to_topic : public publish_exchange {
protected:
  parsed_request parse(session& s, request& x) override {
    return one(parse_raw(x, s.local_shard().settings().limits));
  }
};

class publish_event : public publish_exchange {
protected:
  parsed_request parse(session& s, request& x) override {
    return one(parse_object(x.body, s.local_shard().settings().limits));
  }
};
} // namespace

} // namespace tidings::http
