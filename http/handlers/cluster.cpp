#include "http/handlers/cluster.hpp"

#include "http/problem.hpp"
#include "http/refusal.hpp"
#include "http/session.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <nlohmann/json.hpp>

namespace tidings::http {

namespace {

using json = nlohmann::ordered_json;

json render_position(const origin_position& x) {
  return {{"incarnation", x.incarnation}, {"sequence", x.sequence}};
}

/// Names of members by the ids of their nodes.
class names {
public:
  explicit names(const cluster_view& x) : view_(x) {
    // nop
  }

  json of(uint64_t node) const {
    for (auto& x : view_.members)
      if (x.node == node)
        return x.name;
    return nullptr;
  }

private:
  const cluster_view& view_;
};

json render_member(const member_view& x, const cluster_view& all) {
  json out{{"name", x.name}, {"address", x.address}};
  out["node"] = nullptr;
  if (x.node != 0)
    out["node"] = to_hex(x.node);
  out["self"] = x.is_self;
  if (x.incarnation != 0)
    out["incarnation"] = x.incarnation;
  if (x.is_self)
    return out;
  out["linked"] = x.linked;
  if (x.silent)
    out["silent"] = true;
  out["since"] = format_rfc3339(x.since_ms);
  if (!x.linked && !x.trouble.empty())
    out["trouble"] = x.trouble;
  for (auto& peer : all.replication.peers)
    if (peer.node == x.node && x.node != 0 && x.linked) {
      out["link"] = x.link_address;
      out["lag"] = peer.lag;
      out["bytes_sent"] = peer.bytes_sent;
      out["bytes_received"] = peer.bytes_received;
      auto& heads = out["heads"] = json::object();
      for (auto& head : peer.heads)
        heads[to_hex(head.node)] = render_position(head.at);
    }
  return out;
}

json render_origin(const cluster::origin_status& x, const names& members) {
  json out{{"node", to_hex(x.node)},
           {"member", members.of(x.node)},
           {"head", render_position(x.head.at)},
           {"chain", to_hex(x.head.chain)},
           {"lag", x.lag}};
  out["source"] = nullptr;
  if (x.source)
    out["source"] = members.of(*x.source);
  if (x.forked)
    out["forked"] = true;
  return out;
}

std::string render(const cluster_view& x) {
  auto& r = x.replication;
  names members{x};
  json out{{"name", x.name},
           {"joined", r.joined},
           {"quorum", r.majority_linked},
           {"majority", x.members.size() / 2 + 1},
           {"waiting_publishes", x.waiting_publishes}};
  auto& list = out["members"] = json::array();
  for (auto& member : x.members)
    list.push_back(render_member(member, x));
  auto& origins = out["origins"] = json::array();
  for (auto& origin : r.origins)
    if (origin.head.at.sequence != 0 || origin.lag != 0)
      origins.push_back(render_origin(origin, members));
  auto& alarms = out["alarms"] = json::array();
  for (auto& alarm : x.alarms)
    alarms.push_back({{"kind", alarm.kind},
                      {"detail", alarm.detail},
                      {"time", format_rfc3339(alarm.time_ms)},
                      {"count", alarm.count}});
  return out.dump() + '\n';
}

} // namespace

std::shared_ptr<exchange> make_cluster() {
  return make_answer([](session& s, const request&) {
    auto& board = s.broker().cluster;
    if (!board)
      return problem({errc::not_found, "this node is alone: its configuration names no cluster"});
    return json_response(render(board->get()));
  });
}

} // namespace tidings::http
