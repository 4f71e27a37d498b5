#include "actors/cluster/member_requests.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <vector>

namespace tidings {

namespace {

/// Waits for the outcome of a publish that another member passed on. On the thread of a shard.
class forwarded_listener : public publish_listener {
public:
  forwarded_listener(caf::actor to, uint64_t link, uint64_t request)
    : to_(std::move(to)), link_(link), request_(request) {
    // nop
  }

  void on_published(const publish_ptr& x) override {
    caf::anon_send(to_, forwarded_outcome{link_, request_, x});
  }

private:
  caf::actor to_;
  uint64_t link_;
  uint64_t request_;
};

} // namespace

void member_requests::on_request(uint64_t link, const cluster::request& x) {
  auto from = links_.node_at(link);
  if (!from)
    return;
  switch (static_cast<request_kind>(x.kind)) {
    case request_kind::deliver:
      if (auto found = decode_deliveries(x.body)) {
        for (auto& record : *found)
          record.node = *from;
        self_->send(env_.storage,
                    delivery_ptr{std::make_shared<const std::vector<record>>(std::move(*found))});
      }
      return;
    case request_kind::publish:
      return take(link, x);
    case request_kind::view:
      return look(link, x);
    default:
      return; // of a version to come, or not of these
  }
}

/// Takes a publish that another member passed on.
void member_requests::take(uint64_t link, const cluster::request& x) {
  auto what = decode_publications(x.body);
  if (!what)
    return links_.say(link, cluster::response{x.id, {}}); // the other end need not wait
  auto turn_away = [&](const failure& why) {
    for (auto& item : what->items)
      item.outcome.refused = why;
    on_forwarded({link, x.id, what});
  };
  if (env_.gate->resting)
    return turn_away(
      {errc::shutting_down, "the owner of the topic takes no new work: try again in a moment"});
  auto bytes = static_cast<uint64_t>(x.body.size());
  if (value(env_.stats->publish_bytes) + bytes > env_.publish_bytes_max)
    return turn_away(
      {errc::overloaded, "too many publishes are waiting at the owner of the topic"});
  what->budget = publish_budget{env_.stats, bytes};
  what->is_forwarded = true;
  auto listener = std::make_shared<forwarded_listener>(caf::actor{self_}, link, x.id);
  what->listener = listener;
  taken_[{link, x.id}] = std::move(listener);
  self_->send(env_.distributor, std::move(what));
}

void member_requests::on_forwarded(const forwarded_outcome& x) {
  taken_.erase({x.link, x.request});
  respond(x.link, x.request, encode_outcomes(*x.what));
}

/// A body that does not fit into a frame would end the link: an empty one says that there is none.
void member_requests::respond(uint64_t link, uint64_t request, std::string body) {
  if (body.size() > request_bytes_max)
    body.clear();
  links_.say(link, cluster::response{request, std::move(body)});
}

void member_requests::pass_on(const publish_ptr& x) {
  auto link = links_.link_to(x->owner);
  if (!link)
    return refuse(x, {errc::owner_unreachable,
                      "member " + x->owner
                        + " takes the publishes to this topic, because its order is strict, and "
                          "cannot be reached"});
  auto body = encode_publications(*x);
  if (body.size() > request_bytes_max)
    return refuse(x, {errc::payload_too_large,
                      "too large to be passed on to the member that takes this topic"});
  ask(*link, request_kind::publish, std::move(body), env_.cfg.quorum_timeout.count(),
      [this, x](const std::optional<std::string>& answer) { on_passed_on(x, answer); });
}

void member_requests::on_passed_on(const publish_ptr& x, const std::optional<std::string>& body) {
  if (!body)
    return refuse(x, {errc::indeterminate,
                      "the member that takes the publishes to this topic has not answered: it may "
                      "be stored; repeat it with the same Idempotency-Key to be sure"});
  if (!decode_outcomes(*body, *x))
    return refuse(x, {errc::indeterminate, "the owner of the topic gave no proper answer"});
  answer(x);
}

void member_requests::ask(uint64_t link, request_kind kind, std::string body, int64_t timeout_ms,
                          questions::continuation then) {
  auto id = asked_.add(link, env_.clock->steady_ms() + timeout_ms, std::move(then));
  links_.say(link, cluster::request{id, static_cast<uint8_t>(kind), std::move(body)});
}

void member_requests::on_response(uint64_t link, const cluster::response& x) {
  asked_.answer(link, x.id, x.body);
}

caf::typed_response_promise<member_answer> member_requests::ask_view(const member_question& x) {
  auto promise = self_->make_response_promise<member_answer>();
  auto refuse_with = [&promise](member_state why) {
    promise.deliver(member_answer{why, {}});
    return promise;
  };
  auto link = links_.link_to(x.member);
  if (!link)
    return refuse_with(member_state::unreachable);
  auto now = env_.clock->steady_ms();
  uint32_t waiting = 0;
  auto is_late = false;
  for (auto& [number, view] : views_)
    if (view.link == *link) {
      ++waiting;
      is_late = is_late || view.deadline_ms <= now;
    }
  if (waiting >= env_.cfg.view_requests)
    return refuse_with(is_late ? member_state::timeout : member_state::overloaded);
  constexpr auto as_long_as_the_link = int64_t{1} << 50;
  auto number = ++last_view_;
  views_[number] = {*link, now + env_.cfg.view_timeout.count()};
  ask(*link, request_kind::view, x.body, as_long_as_the_link,
      [this, number, promise](std::optional<std::string> body) mutable {
        views_.erase(number);
        promise.deliver(body ? member_answer{member_state::ok, *std::move(body)}
                             : member_answer{member_state::unreachable, {}});
      });
  return promise;
}

/// Answers always: the other end counts what it has not heard of.
void member_requests::look(uint64_t link, const cluster::request& x) {
  self_->request(env_.views, caf::infinite, list_atom_v, x.body)
    .then([this, link, id = x.id](const std::string& body) { respond(link, id, body); },
          [this, link, id = x.id](const caf::error&) { respond(link, id, {}); });
}

void member_requests::on_down(uint64_t link) {
  asked_.link_down(link);
  std::erase_if(taken_, [link](auto& x) { return x.first.first == link; });
}

void member_requests::on_tick(int64_t now_ms) {
  asked_.expire(now_ms);
}

void member_requests::refuse(const publish_ptr& x, const failure& why) {
  for (auto& item : x->items)
    item.outcome.refused = why;
  answer(x);
}

void member_requests::answer(const publish_ptr& x) {
  self_->send(env_.shards[x->shard], commit_notice{nullptr, {x}});
}

void member_requests::deliver_elsewhere(const committed_batch& batch) {
  auto self = env_.store->node().short_form();
  std::string body;
  auto send = [&] {
    if (body.empty())
      return;
    body += ']';
    links_.say_to_all(
      cluster::request{0, static_cast<uint8_t>(request_kind::deliver), std::move(body)});
    body.clear();
  };
  for (auto& x : batch.records()) {
    if (!x.content.ephemeral || x.node != self)
      continue;
    auto piece = encode_delivery(x);
    if (piece.size() + 2 > request_bytes_max) {
      spdlog::warn("an event that is not stored is too large for the other members topic={} "
                   "bytes={}",
                   x.content.topics.front(), piece.size());
      continue;
    }
    if (body.size() + piece.size() + 2 > request_bytes_max)
      send();
    body += body.empty() ? '[' : ',';
    body += piece;
  }
  send();
}

} // namespace tidings
