#include "http/handlers/publishing.hpp"

#include "http/network.hpp"

#include <algorithm>

namespace tidings::http {

namespace {

/// Empty: nobody in particular.
std::string name_of(const caller_ptr& who) {
  if (who && !who->user.empty())
    return "user " + who->user;
  if (who && !who->key_name.empty())
    return "key " + who->key_name;
  return {};
}

} // namespace

status check_rate(session& s, const caller_ptr& who) {
  auto& home = s.local_shard();
  auto bound = home.settings().limits.publishes_per_caller;
  if (bound == 0)
    return std::nullopt;
  auto name = name_of(who);
  if (name.empty())
    name = "address " + network_of(s.address());
  if (s.broker().rates.admit(name, bound, home.clock().steady_ms()))
    return std::nullopt;
  return failure{errc::rate_limited,
                 "you may publish " + std::to_string(bound) + " times per second"};
}

status check_takes_work(session& s) {
  if (s.broker().takes_work())
    return std::nullopt;
  return failure{errc::shutting_down,
                 "this node takes no new work: try again in a moment, or at another node"};
}

status check_schema(session& s, const event& x, std::string_view member) {
  if (s.settings().schema.empty()) // who has none pays nothing
    return std::nullopt;
  return s.broker().schemas.load()->check(x, member);
}

status submit(session& s, std::vector<publication> xs, bool atomic,
              std::weak_ptr<publish_listener> listener, uint64_t ticket) {
  if (auto why = check_takes_work(s))
    return why;
  auto& home = s.local_shard();
  auto bytes = uint64_t{0};
  for (auto& x : xs) {
    bytes += x.content.data.size() + x.content.type.size() + x.content.id.size() + x.key.size()
             + 256
             + (x.content.mail ? x.content.mail->title.size() + x.content.mail->message.size() : 0);
    for (auto& topic : x.content.topics)
      bytes += 2 * topic.size(); // also on its route
  }
  auto& limits = home.settings().limits;
  if (value(home.stats().publish_bytes) + bytes > limits.publish_bytes)
    return failure{errc::overloaded, "too much is waiting to be stored; try again in a moment"};
  auto request = std::make_shared<publish_request>();
  request->atomic = atomic;
  request->shard = home.index();
  request->listener = std::move(listener);
  request->ticket = ticket;
  request->budget = publish_budget{home.shared_stats(), bytes};
  request->items.reserve(xs.size());
  for (auto& x : xs) {
    auto& item = request->items.emplace_back();
    if (x.content.mail && !x.ttl)
      x.ttl = home.settings().mailbox.ttl;
    item.topic = x.content.topics.front();
    item.what = std::move(x);
  }
  home.others().publish(std::move(request));
  return std::nullopt;
}

void scope_keys(const caller_ptr& who, std::vector<publication>& xs) {
  auto has_key = [](auto& x) { return !x.key.empty(); };
  if (std::none_of(xs.begin(), xs.end(), has_key))
    return;
  auto owner = name_of(who);
  if (owner.empty())
    return;
  owner += '\n'; // no name holds one
  for (auto& x : xs)
    if (has_key(x))
      x.key.insert(0, owner);
}

void count_outcomes(statistics& stats, const publish_request& x) {
  auto accepted = uint64_t{0};
  auto refused = uint64_t{0};
  auto duplicates = uint64_t{0};
  for (auto& item : x.items)
    ++(item.outcome.refused ? refused : item.outcome.duplicate ? duplicates : accepted);
  add(stats.published, accepted);
  if (refused != 0)
    add(stats.refused, refused);
  if (duplicates != 0)
    add(stats.duplicates, duplicates);
}

} // namespace tidings::http
