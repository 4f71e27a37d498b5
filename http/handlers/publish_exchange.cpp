#include "http/handlers/publish_exchange.hpp"

#include "http/gate.hpp"
#include "http/handlers/outcome.hpp"
#include "http/handlers/publishing.hpp"
#include "http/problem.hpp"

namespace tidings::http {

void publish_exchange::begin(session& s, request& x) {
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
  send(s, std::move(xs), array_);
}

response publish_exchange::outcome(session& s, const publish_request& x) {
  auto& home = s.local_shard();
  count_outcomes(home.stats(), x);
  return array_ ? render_outcomes(x, home.is_member())
                : render_outcome(x.items.front(), home.is_member());
}

response publish_exchange::refused(const failure& why) {
  return problem(why);
}

response publish_exchange::late() {
  return problem({errc::indeterminate, "the event was accepted but is not stored yet; a repeat "
                                       "with the same Idempotency-Key is safe"});
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
