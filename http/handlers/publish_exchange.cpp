#include "http/handlers/publish_exchange.hpp"

#include "http/gate.hpp"
#include "http/handlers/outcome.hpp"
#include "http/handlers/publishing.hpp"
#include "http/problem.hpp"

#include <utility>

namespace tidings::http {

void publish_exchange::begin(session& s, request& x) {
  session_ = s.weak_from_this();
  if (auto why = check_rate(s, x.who))
    return s.respond(problem(*why));
  auto parsed = parse(s, x);
  if (std::holds_alternative<response>(parsed))
    return s.respond(std::get<response>(parsed));
  auto& xs = std::get<std::vector<publication>>(parsed);
  if (xs.empty())
    return s.respond(problem({errc::invalid_event, "the array holds no event"}));
  if (auto refused = check(s, x.who, xs))
    return s.respond(*refused);
  scope_keys(x.who, xs);
  auto me = std::static_pointer_cast<publish_exchange>(shared_from_this());
  if (auto why = submit(s, std::move(xs), array_, me, 0))
    return s.respond(problem(*why));
  s.home().set_deadline(s, s.local_shard().settings().limits.publish_timeout);
}

void publish_exchange::on_published(const publish_ptr& x) {
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

void publish_exchange::on_deadline(session& s) {
  if (std::exchange(answered_, true))
    return;
  s.respond(
    problem({errc::indeterminate, "the event was accepted but is not stored yet; a repeat with the "
                                  "same Idempotency-Key is safe"}));
}

publish_exchange::parsed_request publish_exchange::one(result<publication> x) {
  if (!x)
    return problem(x.error());
  std::vector<publication> xs;
  xs.push_back(std::move(*x));
  return xs;
}

/// What to answer if the caller may not publish all of this, or some of it is not as it must be.
std::optional<response> publish_exchange::check(session& s, const caller_ptr& who,
                                                const std::vector<publication>& xs) const {
  std::vector<item_failure> errors;
  for (size_t i = 0; i < xs.size() && errors.size() < item_failures_max; ++i) {
    auto why = check_publish(who, xs[i].content);
    if (!why)
      why = check_schema(s, xs[i].content, checked_member());
    if (why)
      errors.push_back({i, std::move(*why)});
  }
  if (errors.empty())
    return std::nullopt;
  return array_ ? batch_problem(errors) : problem(errors.front().why);
}

} // namespace tidings::http
