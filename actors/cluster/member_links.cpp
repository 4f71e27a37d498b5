#include "actors/cluster/member_links.hpp"

#include "actors/cluster/dialer.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace tidings {

using cluster::close_reason;

member_links::member_links(caf::event_based_actor* self, std::string own_name, const node_id& node,
                           cluster::link_settings_ptr settings, const member_list& members,
                           const clock_source& clock, listener& owner)
  : self_(self),
    own_name_(std::move(own_name)),
    settings_(std::move(settings)),
    members_(members),
    clock_(clock),
    owner_(owner),
    table_(node) {
  // nop
}

void member_links::follow_list() {
  std::erase_if(views_, [this](auto& entry) { return !members_.find(entry.first); });
  auto is_out = !members_.find(own_name_);
  std::erase_if(dialers_, [&](auto& entry) {
    auto member = members_.find(entry.first);
    auto is_gone = is_out || !member || member->address != entry.second.address;
    if (is_gone)
      caf::anon_send_exit(entry.second.actor, caf::exit_reason::user_shutdown);
    return is_gone;
  });
  for (auto& x : members_.all()) {
    if (auto [view, is_new] = views_.try_emplace(x.name); is_new)
      view->second.since_ms = clock_.wall_ms();
    if (!is_out && x.name != own_name_ && dialers_.count(x.name) == 0)
      dial(x);
  }
}

void member_links::dial(const member_list::member& x) {
  auto colon = x.address.rfind(':');
  auto host = x.address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[')
    host = host.substr(1, host.size() - 2);
  auto port = static_cast<uint16_t>(std::stoul(x.address.substr(colon + 1)));
  dialers_[x.name] = {
    cluster::spawn_dialer(self_->system(), {host, port}, settings_, caf::actor{self_}), x.address};
}

void member_links::on_up(const cluster::link_up& x) {
  auto& who = x.peer;
  if (has_rival(who)) {
    spdlog::error("two nodes claim to be the same member member={} address={}", who.member,
                  x.address);
    caf::anon_send(x.actor, cluster::link_close{close_reason::not_a_member,
                                                "another node is linked under this name"});
    return;
  }
  auto loser = table_.on_up(who.node, {x.link, x.dialled, who.incarnation});
  if (loser == x.link) {
    caf::anon_send(x.actor, cluster::link_close{close_reason::replaced, {}});
    want_dial(who.member, false);
    return;
  }
  if (loser)
    replace(*loser);
  links_[x.link] = {x.actor, who.node, who.member};
  auto& view = views_[who.member];
  if (!view.linked)
    view.since_ms = clock_.wall_ms();
  view.linked = true;
  view.silent = false;
  view.link_address = x.address;
  view.incarnation = who.incarnation;
  view.trouble.clear();
  ++ups_;
  spdlog::info("linked member={} node={} address={} dialled={}", who.member, to_string(who.node),
               x.address, x.dialled);
  if (!x.dialled)
    want_dial(who.member, false);
  owner_.on_linked(x.link, who);
}

/// Whether another node is linked under this name.
bool member_links::has_rival(const cluster::link_peer& who) const {
  return std::any_of(links_.begin(), links_.end(), [&](auto& entry) {
    return entry.second.member == who.member && entry.second.node != who.node;
  });
}

void member_links::replace(uint64_t link) {
  close(link, close_reason::replaced, {});
  if (links_.erase(link) != 0)
    owner_.on_unlinked(link);
}

void member_links::on_down(const cluster::link_down& x) {
  auto known = links_.find(x.link);
  if (known == links_.end()) {
    if (!x.was_up)
      note_trouble(x);
    return;
  }
  auto gone = std::move(known->second);
  links_.erase(known);
  table_.on_down(gone.node, x.link);
  auto& view = views_[gone.member];
  view.linked = false;
  view.since_ms = clock_.wall_ms();
  view.trouble = to_string(x.reason);
  ++downs_;
  spdlog::warn("link lost member={} reason={} by-peer={} detail=\"{}\"", gone.member,
               to_string(x.reason), x.by_peer, x.text);
  want_dial(gone.member, true);
  owner_.on_unlinked(x.link);
}

void member_links::on_suspect(const cluster::link_suspect& x) {
  if (auto known = links_.find(x.link); known != links_.end())
    views_[known->second.member].silent = x.silent;
}

void member_links::on_dial_failed(const cluster::dial_failed& x) {
  note_trouble(x.address, x.why);
}

/// A link that did not come about.
void member_links::note_trouble(const cluster::link_down& x) {
  std::string text = to_string(x.reason);
  if (!x.text.empty())
    text += ": " + x.text;
  if (x.dialled)
    return note_trouble(x.address, text);
  ++refused_;
  auto now = clock_.steady_ms();
  if (now >= quiet_until_ms_) { // whoever can connect could fill the log
    quiet_until_ms_ = now + 1'000;
    spdlog::warn("a connection to the cluster port was turned away address={} reason=\"{}\" "
                 "all-so-far={}",
                 x.address, text, refused_);
  }
}

/// The same trouble again is not said again.
void member_links::note_trouble(const std::string& address, const std::string& text) {
  for (auto& member : members_.all()) {
    auto& view = views_[member.name];
    if (member.address != address || view.linked || view.trouble == text)
      continue;
    view.trouble = text;
    spdlog::warn("no link member={} reason=\"{}\"", member.name, text);
  }
}

void member_links::want_dial(const std::string& member, bool wanted) {
  if (auto i = dialers_.find(member); i != dialers_.end())
    caf::anon_send(i->second.actor, cluster::dial_wanted{wanted});
}

std::optional<uint64_t> member_links::link_to(const std::string& member) const {
  if (!members_.find(member))
    return std::nullopt;
  for (auto& [number, known] : links_)
    if (known.member == member)
      return number;
  return std::nullopt;
}

std::optional<uint64_t> member_links::node_at(uint64_t link) const {
  auto known = links_.find(link);
  if (known == links_.end())
    return std::nullopt;
  return known->second.node.short_form();
}

void member_links::say(uint64_t link, cluster::message what) {
  if (auto to = links_.find(link); to != links_.end())
    caf::anon_send(to->second.actor,
                   cluster::message_ptr{std::make_shared<const cluster::message>(std::move(what))});
}

void member_links::say_to_all(cluster::message what) {
  auto shared = std::make_shared<const cluster::message>(std::move(what));
  for (auto& [number, link] : links_)
    caf::anon_send(link.actor, cluster::message_ptr{shared});
}

void member_links::close(uint64_t link, close_reason reason, const std::string& text) {
  if (auto to = links_.find(link); to != links_.end())
    caf::anon_send(to->second.actor, cluster::link_close{reason, text});
}

void member_links::close_all(close_reason reason) {
  for (auto& [number, link] : links_)
    caf::anon_send(link.actor, cluster::link_close{reason, {}});
}

std::vector<member_view> member_links::views() const {
  std::vector<member_view> xs;
  for (auto& member : members_.all()) {
    auto known = views_.find(member.name);
    auto& x = xs.emplace_back(known == views_.end() ? member_view{} : known->second);
    x.name = member.name;
    x.address = member.address;
    x.node = member.known ? member.node : 0;
    x.is_self = member.name == own_name_;
  }
  return xs;
}

} // namespace tidings
