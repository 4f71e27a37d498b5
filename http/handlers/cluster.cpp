#include "http/handlers/cluster.hpp"

#include "cluster/majority.hpp"
#include "http/handlers/asking.hpp"
#include "http/json_scan.hpp"
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
           {"majority", cluster::majority(x.members.size())},
           {"members_version", x.version},
           {"draining", x.draining},
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

status check_cluster(session& s) {
  if (s.broker().cluster)
    return std::nullopt;
  return failure{errc::not_found, "this node is alone: its configuration names no cluster"};
}

result<cluster_member> parse_added(std::string_view body) {
  auto items = scan_object(body);
  if (!items)
    return items.error();
  std::string name;
  std::string address;
  for (auto& item : *items) {
    auto is_text = item.kind == json_kind::string;
    if (is_text && item.name == "name")
      name = item.text();
    else if (is_text && item.name == "address")
      address = item.text();
    else
      return failure{errc::invalid_parameter, "a member has a name and an address, both strings"};
  }
  if (auto x = parse_member(name + '=' + address))
    return *x;
  return failure{errc::invalid_parameter,
                 R"(a member is written like {"name":"d","address":"10.0.0.4:7400"})"};
}

result<bool> parse_force(const request& x) {
  auto text = x.query.first("force");
  if (!text || *text == "false")
    return false;
  if (*text == "true")
    return true;
  return failure{errc::invalid_parameter, "force: true or false"};
}

/// Asks for a change of the list of members.
class changing_members : public asking {
public:
  explicit changing_members(bool is_removal) {
    what_.is_removal = is_removal;
  }

  void begin(session& s, request& x) override {
    if (auto why = read(s, x))
      return s.respond(problem(*why));
    s.local_shard().others().change_members(
      what_, later(s, [](session& to, const result<cluster::change_outcome>& outcome) {
        if (!outcome)
          return to.respond(problem(outcome.error()));
        to.respond(outcome->refused ? problem(*outcome->refused) : json_response(render(*outcome)));
      }));
  }

private:
  status read(session& s, const request& x) {
    if (auto why = check_cluster(s))
      return why;
    auto force = parse_force(x);
    if (!force)
      return force.error();
    what_.force = *force;
    if (what_.is_removal) {
      what_.member.name = x.raw_path.substr(x.raw_path.rfind('/') + 1);
      return std::nullopt;
    }
    auto added = parse_added(x.body);
    if (!added)
      return added.error();
    what_.member = std::move(*added);
    return std::nullopt;
  }

  static std::string render(const cluster::change_outcome& x) {
    json out{{"version", x.list.version}, {"members", to_texts(x.list)}, {"untold", x.untold}};
    return out.dump() + '\n';
  }

  cluster::change_request what_;
};

class draining : public asking {
public:
  explicit draining(bool on) : on_(on) {
    // nop
  }

  void begin(session& s, request&) override {
    if (auto why = check_cluster(s))
      return s.respond(problem(*why));
    s.local_shard().others().drain_node(
      on_, later(s, [on = on_](session& to, const result<std::vector<std::string>>& behind) {
        if (!behind)
          return to.respond(problem(behind.error()));
        json out{{"draining", on}, {"behind", *behind}};
        to.respond(json_response(out.dump() + '\n'));
      }));
  }

private:
  bool on_;
};

} // namespace

std::shared_ptr<exchange> make_cluster() {
  return make_answer([](session& s, const request&) {
    if (auto why = check_cluster(s))
      return problem(*why);
    return json_response(render(s.broker().cluster->get()));
  });
}

std::shared_ptr<exchange> make_add_member() {
  return std::make_shared<changing_members>(false);
}

std::shared_ptr<exchange> make_remove_member() {
  return std::make_shared<changing_members>(true);
}

std::shared_ptr<exchange> make_drain() {
  return std::make_shared<draining>(true);
}

std::shared_ptr<exchange> make_undrain() {
  return std::make_shared<draining>(false);
}

} // namespace tidings::http
