#include "actors/cluster/replicator_actor.hpp"

#include "actors/cluster/acceptor.hpp"
#include "actors/cluster/dialer.hpp"
#include "actors/cluster/link_messages.hpp"
#include "actors/cluster/member_list.hpp"
#include "actors/cluster/member_requests.hpp"
#include "actors/cluster/membership_keeper.hpp"
#include "actors/cluster/quorum_queue.hpp"
#include "cluster/link_table.hpp"
#include "cluster/majority.hpp"
#include "cluster/replicator.hpp"
#include "tidings/listen_address.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

namespace tidings {

namespace {

using cluster::link_id;
using cluster::ticket;

constexpr auto tick_interval = std::chrono::milliseconds{100};
constexpr int64_t view_interval_ms = 500;
constexpr int64_t rest_delay_ms = 200;     // for who was let in just before, and is not counted yet
constexpr int64_t answer_grace_ms = 5'000; // beyond the time that the other member takes for it

cluster::origin_head to_head(const log_head& x) {
  return {x.node, x.at, x.chain};
}

log_head to_log_head(const cluster::origin_head& x) {
  return {x.node, x.at, x.chain};
}

std::vector<cluster::origin_head> to_heads(const std::vector<log_head>& xs) {
  std::vector<cluster::origin_head> heads;
  for (auto& x : xs)
    heads.push_back(to_head(x));
  return heads;
}

class replicator_state : public membership_keeper::host, public member_requests::links {
public:
  static inline const char* name = "tidings.replicator";

  explicit replicator_state(caf::event_based_actor* self) : self_(self) {
    // nop
  }

  caf::behavior make_behavior(cluster_environment env,
                              std::shared_ptr<cluster::link_settings> settings) {
    env_ = std::move(env);
    settings_ = std::move(settings);
    auto& self = env_.store->node();
    members_.emplace(env_.members, env_.cfg.node, self.short_form());
    keeper_.emplace(env_.members, env_.cfg.node, env_.cfg.change_timeout.count(), *this);
    links_of_nodes_.emplace(self);
    waiting_.emplace(self.short_form());
    cluster::replicator_settings how;
    how.window_bytes = env_.cfg.window_bytes;
    how.join_timeout_ms = env_.cfg.join_timeout.count();
    how.origins_max = cursor::components_max;
    on_disk_ = env_.store->heads();
    core_.emplace(self.short_form(), env_.store->incarnation(), to_heads(on_disk_), ++version_,
                  members_->ids(), how, now_ms());
    for (auto& x : members_->all())
      views_[x.name].since_ms = env_.clock->wall_ms();
    requests_.emplace(self_, env_, *this);
    env_.gate->majority = static_cast<uint32_t>(cluster::majority(members_->all().size()));
    self_->set_default_handler(caf::drop);
    self_->set_exit_handler([this](const caf::exit_msg& x) {
      for (auto& [number, link] : links_)
        caf::anon_send(link.actor, cluster::link_close{cluster::close_reason::shutting_down, {}});
      self_->quit(x.reason);
    });
    self_->delayed_send(self_, tick_interval, caf::tick_atom_v);
    perform();
    show();
    return {
      [this](const commit_report_ptr& x) { on_report(*x); },
      [this](const publish_ptr& x) { await_quorum(x); },
      [this](const cluster::link_up& x) { on_up(x); },
      [this](const cluster::link_received& x) { on_received(x); },
      [this](caf::forward_atom, const publish_ptr& x) { requests_->pass_on(x); },
      [this](deliver_atom, const batch_ptr& x) {
        if (!links_.empty())
          requests_->deliver_elsewhere(*x);
      },
      [this](const forwarded_outcome& x) { requests_->on_forwarded(x); },
      [this](const member_question& x) { return requests_->ask_view(x); },
      [this](const change_order_ptr& x) { return change_members(*x); },
      [this](drain_atom, bool on) { return drain(on); },
      [this](const cluster::link_suspect& x) { on_suspect(x); },
      [this](const cluster::link_down& x) { on_down(x); },
      [this](const cluster::dial_failed& x) { on_dial_failed(x); },
      [this](caf::tick_atom) {
        on_tick();
        self_->delayed_send(self_, tick_interval, caf::tick_atom_v);
      },
    };
  }

  /// Dials the other members, and those no more that are none.
  void dial() {
    std::erase_if(dialers_, [this](auto& entry) {
      auto is_gone = is_out() || !members_->find(entry.first);
      if (is_gone)
        caf::anon_send_exit(entry.second, caf::exit_reason::user_shutdown);
      return is_gone;
    });
    for (auto& x : members_->all()) {
      if (is_out() || x.name == env_.cfg.node || dialers_.count(x.name) != 0)
        continue;
      auto colon = x.address.rfind(':');
      auto host = x.address.substr(0, colon);
      if (host.size() > 2 && host.front() == '[')
        host = host.substr(1, host.size() - 2);
      auto port = static_cast<uint16_t>(std::stoul(x.address.substr(colon + 1)));
      dialers_[x.name] =
        cluster::spawn_dialer(self_->system(), {host, port}, settings_, caf::actor{self_});
    }
  }

private:
  struct link {
    caf::actor actor;
    node_id node;
    std::string member;
  };

  /// Whether this node is not in the list any more.
  bool is_out() const {
    return !members_->find(env_.cfg.node);
  }

  int64_t now_ms() const override {
    return env_.clock->steady_ms();
  }

  // -- the store
  // -----------------------------------------------------------------------------------

  void on_report(const commit_report& x) {
    std::vector<cluster::origin_head> changed;
    for (auto& head : x.heads)
      if (std::find(on_disk_.begin(), on_disk_.end(), head) == on_disk_.end())
        changed.push_back(to_head(head));
    if (!x.heads.empty())
      on_disk_ = x.heads;
    std::vector<ticket> done;
    for (auto n : x.done)
      done.push_back(ticket{n});
    core_->stored(changed, done);
    for (auto& refusal : x.refused)
      core_->refused(ticket{refusal.ticket},
                     refusal.is_fork ? cluster::refusal::fork : cluster::refusal::not_now);
    perform();
  }

  void await_quorum(const publish_ptr& x) {
    auto wanted = waiting_->wanted(*x);
    if (wanted.sequence == 0) {
      // Repeats of what another node accepted, which has it too.
      constexpr uint32_t nodes = 2;
      if (env_.gate->majority <= nodes)
        waiting_->settle(*x, nodes);
      return give_back(x);
    }
    if (wanted <= core_->quorum()) {
      waiting_->settle(*x, static_cast<uint32_t>(core_->copies(wanted)));
      return give_back(x);
    }
    waiting_->add(x, wanted, now_ms() + env_.cfg.quorum_timeout.count());
  }

  void give_back(const publish_ptr& x) {
    self_->send(env_.storage, settled_atom_v, x);
  }

  void give_work(replica_work x) {
    self_->send(env_.storage, std::make_shared<const replica_work>(std::move(x)));
  }

  // -- requests
  // ------------------------------------------------------------------------------------

  void on_received(const cluster::link_received& x) {
    if (auto asked = std::get_if<cluster::request>(x.what.get()))
      return on_request(x.link, *asked);
    if (auto answer = std::get_if<cluster::response>(x.what.get())) {
      requests_->on_response(x.link, *answer);
      return keeper_->tick();
    }
    core_->receive(link_id{x.link}, *x.what);
    perform();
  }

  void on_request(uint64_t link, const cluster::request& x) {
    if (links_.find(link) == links_.end())
      return;
    switch (static_cast<request_kind>(x.kind)) {
      case request_kind::members:
        return say(link, cluster::response{x.id, keeper_->take_list(x.body)});
      case request_kind::change:
        return keeper_->take_change(x.body, answering(link, x.id));
      case request_kind::drain:
        return keeper_->take_drain(x.body, answering(link, x.id));
      default:
        requests_->on_request(link, x);
    }
  }

  std::function<void(std::string)> answering(uint64_t link, uint64_t request) {
    return [this, link, request](std::string body) {
      say(link, cluster::response{request, std::move(body)});
    };
  }

  std::optional<uint64_t> link_to(const std::string& member) const override {
    if (!members_->find(member))
      return std::nullopt;
    for (auto& [number, known] : links_)
      if (known.member == member)
        return number;
    return std::nullopt;
  }

  std::optional<uint64_t> node_at(uint64_t link) const override {
    auto known = links_.find(link);
    if (known == links_.end())
      return std::nullopt;
    return known->second.node.short_form();
  }

  void say(uint64_t link, cluster::message what) override {
    if (auto to = links_.find(link); to != links_.end())
      caf::anon_send(
        to->second.actor,
        cluster::message_ptr{std::make_shared<const cluster::message>(std::move(what))});
  }

  void say_to_all(cluster::message what) override {
    auto shared = std::make_shared<const cluster::message>(std::move(what));
    for (auto& [number, link] : links_)
      caf::anon_send(link.actor, cluster::message_ptr{shared});
  }

  // -- the list of members
  // --------------------------------------------------------------------------

  caf::result<cluster::change_outcome> change_members(const cluster::change_request& what) {
    auto promise = self_->make_response_promise<cluster::change_outcome>();
    keeper_->change(what,
                    [promise](const cluster::change_outcome& x) mutable { promise.deliver(x); });
    return promise;
  }

  caf::result<std::vector<std::string>> drain(bool on) {
    auto promise = self_->make_response_promise<std::vector<std::string>>();
    if (on)
      keeper_->drain(
        [promise](const std::vector<std::string>& behind) mutable { promise.deliver(behind); });
    else {
      keeper_->undrain();
      promise.deliver(std::vector<std::string>{});
    }
    return promise;
  }

  std::vector<cluster::member_state> others() const override {
    std::vector<cluster::member_state> xs;
    auto status = core_->status();
    for (auto& member : members_->all()) {
      if (member.name == env_.cfg.node)
        continue;
      auto& x =
        xs.emplace_back(cluster::member_state{member.name, link_to(member.name).has_value(), {}});
      for (auto& peer : status.peers)
        if (member.known && peer.node == member.node)
          x.heads = peer.heads;
    }
    return xs;
  }

  std::vector<cluster::origin_head> heads() const override {
    return to_heads(on_disk_);
  }

  void ask(const std::string& member, request_kind kind, std::string body,
           questions::continuation then) override {
    auto link = link_to(member);
    if (!link)
      return then(std::nullopt);
    requests_->ask(*link, kind, std::move(body), env_.cfg.change_timeout.count() + answer_grace_ms,
                   std::move(then));
  }

  status keep(const membership& x) override {
    return env_.keep(x);
  }

  void adopt(const membership& x) override {
    for (auto& member : members_->all())
      if (!x.find(member.name))
        views_.erase(member.name);
    auto was_out = is_out();
    members_->set(x);
    for (auto& member : members_->all())
      if (views_.count(member.name) == 0)
        views_[member.name].since_ms = env_.clock->wall_ms();
    env_.gate->majority = static_cast<uint32_t>(cluster::majority(members_->all().size()));
    spdlog::info("the list of members has changed version={} members=\"{}\"", x.version,
                 fmt::join(to_texts(x), " "));
    self_->send(env_.distributor, env_.on_members(x)); // which has to know the owners of topics
    if (is_out() && !was_out)
      spdlog::error("this node was removed from the cluster: it takes no new work; stop it");
    set_draining(keeper_->draining());
    core_->set_members(++version_, members_->ids());
    dial();
    perform();
    show();
  }

  void set_draining(bool on) override {
    on = on || is_out();
    if (on == is_draining_)
      return;
    is_draining_ = on;
    spdlog::info("{}", on ? "draining: takes no new work" : "takes work again");
    env_.set_draining(on);
    for (auto& x : env_.shards)
      caf::anon_send(x, drain_atom_v, on); // an answer that nobody expects would end the shard
  }

  void come_to_rest(std::function<void()> then) override {
    resting_.push_back(std::move(then));
    rest_from_ms_ = now_ms() + rest_delay_ms;
  }

  /// When nothing is on its way any more, what was taken is brought to the disk.
  void check_rest() {
    if (resting_.empty() || now_ms() < rest_from_ms_ || value(env_.stats->publish_bytes) != 0)
      return;
    auto waiting = std::make_shared<std::vector<std::function<void()>>>(std::move(resting_));
    resting_.clear();
    self_->request(env_.storage, caf::infinite, sync_atom_v)
      .then(
        [waiting](bool) {
          for (auto& then : *waiting)
            then();
        },
        [](const caf::error&) {}); // the store is broken, and the broker ends
  }

  // -- links
  // ---------------------------------------------------------------------------------------

  void on_up(const cluster::link_up& x) {
    auto& who = x.peer;
    auto known = members_->find(who.member);
    auto other = known && known->known ? links_of_nodes_.value().find(node_named(*known)) : nullptr;
    if (other && known->node != who.node.short_form()) {
      spdlog::error("two nodes claim to be the same member member={} address={}", who.member,
                    x.address);
      caf::anon_send(x.actor, cluster::link_close{cluster::close_reason::not_a_member,
                                                  "another node is linked under this name"});
      return;
    }
    auto loser = links_of_nodes_->on_up(who.node, {x.link, x.dialled, who.incarnation});
    if (loser == x.link) {
      caf::anon_send(x.actor, cluster::link_close{cluster::close_reason::replaced, {}});
      want_dial(who.member, false);
      return;
    }
    if (loser)
      if (auto old = links_.find(*loser); old != links_.end()) {
        caf::anon_send(old->second.actor, cluster::link_close{cluster::close_reason::replaced, {}});
        links_.erase(old);
      }
    links_[x.link] = {x.actor, who.node, who.member};
    if (members_->learn(who.member, who.node.short_form()))
      core_->set_members(++version_, members_->ids());
    auto& view = views_[who.member];
    if (!view.linked)
      view.since_ms = env_.clock->wall_ms();
    view.linked = true;
    view.silent = false;
    view.link_address = x.address;
    view.incarnation = who.incarnation;
    view.trouble.clear();
    ++links_up_;
    spdlog::info("linked member={} node={} address={} dialled={}", who.member, to_string(who.node),
                 x.address, x.dialled);
    if (!x.dialled)
      want_dial(who.member, false);
    core_->link_up(link_id{x.link}, who.node.short_form());
    auto& list = keeper_->present();
    if (list.version != 0 && list.version >= who.membership)
      say(x.link, cluster::request{0, static_cast<uint8_t>(request_kind::members), to_text(list)});
    perform();
  }

  void on_down(const cluster::link_down& x) {
    auto known = links_.find(x.link);
    if (known == links_.end()) {
      if (!x.was_up)
        note_trouble(x);
      return;
    }
    auto member = known->second.member;
    requests_->on_down(x.link);
    auto was_in_use = links_of_nodes_->on_down(known->second.node, x.link);
    links_.erase(known);
    core_->link_down(link_id{x.link});
    if (was_in_use) {
      auto& view = views_[member];
      view.linked = false;
      view.since_ms = env_.clock->wall_ms();
      view.trouble = to_string(x.reason);
      ++links_down_;
      spdlog::warn("link lost member={} reason={} by-peer={} detail=\"{}\"", member,
                   to_string(x.reason), x.by_peer, x.text);
      want_dial(member, true);
    }
    perform();
  }

  /// A link that did not come about. The same trouble again is not said again.
  void note_trouble(const cluster::link_down& x) {
    std::string text = to_string(x.reason);
    if (!x.text.empty())
      text += ": " + x.text;
    if (x.dialled) {
      for (auto& member : members_->all())
        if (member.address == x.address)
          set_trouble(member.name, text);
      return;
    }
    ++refused_links_;
    auto now = now_ms();
    if (now >= quiet_until_ms_) { // whoever can connect could fill the log
      quiet_until_ms_ = now + 1'000;
      spdlog::warn("a connection to the cluster port was turned away address={} reason=\"{}\" "
                   "all-so-far={}",
                   x.address, text, refused_links_);
    }
  }

  void set_trouble(const std::string& member, const std::string& text) {
    auto& view = views_[member];
    if (view.linked || view.trouble == text)
      return;
    view.trouble = text;
    spdlog::warn("no link member={} reason=\"{}\"", member, text);
  }

  void on_dial_failed(const cluster::dial_failed& x) {
    for (auto& member : members_->all())
      if (member.address == x.address)
        set_trouble(member.name, x.why);
  }

  void on_suspect(const cluster::link_suspect& x) {
    if (auto known = links_.find(x.link); known != links_.end())
      views_[known->second.member].silent = x.silent;
  }

  void want_dial(const std::string& member, bool wanted) {
    if (auto i = dialers_.find(member); i != dialers_.end())
      caf::anon_send(i->second, cluster::dial_wanted{wanted});
  }

  /// The full id of a member that is linked.
  node_id node_named(const member_list::member& x) const {
    for (auto& [id, known] : links_)
      if (known.node.short_form() == x.node)
        return known.node;
    return {};
  }

  // -- what the core wants
  // --------------------------------------------------------------------------

  /// What is done may lead to more.
  void perform() {
    for (auto xs = core_->take_actions(); !xs.empty(); xs = core_->take_actions())
      for (auto& x : xs)
        std::visit([this](auto& action) { apply(action); }, x);
    env_.gate->majority_linked = core_->majority_linked();
  }

  void apply(cluster::action::send& x) {
    say(to_number(x.link), std::move(x.what));
  }

  void apply(cluster::action::store& x) {
    replica_work work;
    work.ticket = static_cast<uint64_t>(x.work);
    work.node = x.node;
    for (auto& record : x.records)
      work.bodies.push_back(std::move(record.bytes));
    give_work(std::move(work));
  }

  void apply(cluster::action::store_forgotten& x) {
    replica_work work;
    work.ticket = static_cast<uint64_t>(x.work);
    work.node = x.up_to.node;
    work.forgotten = to_log_head(x.up_to);
    give_work(std::move(work));
  }

  void apply(cluster::action::reoriginate& x) {
    replica_work work;
    work.ticket = static_cast<uint64_t>(x.work);
    work.node = x.node;
    work.reoriginate = {x.after, x.up_to};
    give_work(std::move(work));
  }

  void apply(cluster::action::read& x) {
    auto chunk = env_.store->read_origin(x.node, x.after, x.up_to, x.bytes_max);
    if (!chunk) {
      spdlog::error("cannot read the log for another member err=\"{}\"", chunk.error().detail);
      core_->read_done(x.work, {});
      return;
    }
    std::optional<cluster::origin_head> forgotten;
    std::vector<cluster::replica> records;
    if (chunk->forgotten)
      forgotten = to_head(*chunk->forgotten);
    else
      for (auto& record : chunk->records)
        records.push_back({record.at, record.follows, record.chain, std::move(record.body)});
    core_->read_done(x.work, std::move(records), forgotten);
  }

  void apply(cluster::action::quorum_reached& x) {
    for (auto& done : waiting_->reach(x.at, static_cast<uint32_t>(x.copies)))
      give_back(done);
  }

  void apply(cluster::action::joined&) {
    env_.gate->joined = true;
    spdlog::info("joined the cluster name={} members={}", env_.cfg.name, members_->all().size());
  }

  void apply(cluster::action::raise& x) {
    std::string kind{to_string(x.kind)};
    auto member = members_->find(x.node);
    auto detail = "records of " + (member ? "member " + member->name : "a former member")
                  + " from incarnation " + std::to_string(x.at.incarnation) + " sequence "
                  + std::to_string(x.at.sequence);
    auto i = std::find_if(alarms_.begin(), alarms_.end(),
                          [&](const alarm_view& alarm) { return alarm.kind == kind; });
    if (i == alarms_.end())
      i = alarms_.insert(alarms_.end(), {kind, {}, 0, 0});
    i->detail = detail;
    i->time_ms = env_.clock->wall_ms();
    ++i->count;
    spdlog::error("cluster alarm kind={} detail=\"{}\"", kind, detail);
    if (x.kind == cluster::alarm::incarnation_reused)
      env_.on_broken({errc::storage_corrupt,
                      "another process has written records in the name of this node: its data "
                      "directory was copied, or it was restored from a backup together with its "
                      "clock; start it again after the clock is right"});
  }

  void apply(cluster::action::close_link& x) {
    auto known = links_.find(to_number(x.link));
    if (known == links_.end())
      return;
    auto reason = x.reason == cluster::link_fault::replaced ? cluster::close_reason::replaced
                  : x.reason == cluster::link_fault::not_a_member
                    ? cluster::close_reason::not_a_member
                    : cluster::close_reason::unexpected_frame;
    caf::anon_send(known->second.actor,
                   cluster::link_close{reason, std::string{to_string(x.reason)}});
  }

  static uint64_t to_number(link_id x) {
    return static_cast<uint64_t>(x);
  }

  // -- time
  // ----------------------------------------------------------------------------------------

  void on_tick() {
    auto now = now_ms();
    core_->tick(now);
    for (auto& x : waiting_->expire(now))
      give_back(x);
    requests_->on_tick(now);
    perform();
    keeper_->tick();
    check_rest();
    if (now >= next_view_ms_) {
      next_view_ms_ = now + view_interval_ms;
      show();
    }
  }

  void show() {
    cluster_view x;
    x.name = env_.cfg.name;
    x.replication = core_->status();
    x.version = keeper_->present().version;
    x.draining = is_draining_;
    for (auto& member : members_->all()) {
      auto view = views_[member.name];
      view.name = member.name;
      view.address = member.address;
      view.node = member.known ? member.node : 0;
      view.is_self = member.name == env_.cfg.node;
      if (view.is_self)
        view.incarnation = env_.store->incarnation();
      x.members.push_back(std::move(view));
    }
    x.alarms = alarms_;
    x.waiting_publishes = waiting_->size();
    x.links_up = links_up_;
    x.links_down = links_down_;
    env_.board->set(std::move(x));
  }

  caf::event_based_actor* self_;
  cluster_environment env_;
  std::shared_ptr<cluster::link_settings> settings_;
  std::optional<member_list> members_;
  std::optional<membership_keeper> keeper_;
  bool is_draining_ = false;
  int64_t rest_from_ms_ = 0;
  std::vector<std::function<void()>> resting_; // wait until nothing is on its way
  std::optional<cluster::link_table> links_of_nodes_;
  std::optional<cluster::replicator> core_;
  std::optional<quorum_queue> waiting_;
  std::vector<log_head> on_disk_;
  std::optional<member_requests> requests_;
  std::map<uint64_t, link> links_; // in use
  std::map<std::string, caf::actor> dialers_;
  std::map<std::string, member_view> views_;
  std::vector<alarm_view> alarms_;
  uint64_t version_ = 0; // of the list of members
  uint64_t links_up_ = 0;
  uint64_t links_down_ = 0;
  uint64_t refused_links_ = 0;
  int64_t quiet_until_ms_ = 0;
  int64_t next_view_ms_ = 0;
};

using replicator_impl = caf::stateful_actor<replicator_state>;

caf::behavior replicate(replicator_impl* self, cluster_environment env,
                        std::shared_ptr<cluster::link_settings> settings) {
  auto behavior = self->state.make_behavior(std::move(env), std::move(settings));
  self->state.dial();
  return behavior;
}

} // namespace

result<caf::actor> spawn_replicator(caf::actor_system& sys, cluster_environment env,
                                    uint16_t& port) {
  auto& cfg = env.cfg;
  auto settings = std::make_shared<cluster::link_settings>();
  settings->self.cluster = cfg.name;
  settings->self.secret = env.secret;
  settings->self.node = env.store->node();
  settings->self.member = cfg.node;
  settings->self.incarnation = env.store->incarnation();
  auto own = env.members.find(cfg.node);
  auto own_address = own ? own->address : std::string{};
  auto list = std::make_shared<std::atomic<std::shared_ptr<const membership>>>(
    std::make_shared<const membership>(env.members));
  settings->admitted = [list, self = cfg.node](const std::string& member) {
    return member != self && list->load()->find(member) != nullptr;
  };
  settings->membership = [list] { return list->load()->version; };
  env.on_members = [list, then = std::move(env.on_members)](const membership& x) {
    list->store(std::make_shared<const membership>(x));
    return then(x);
  };
  if (!cfg.certificate.empty()) {
    auto tls = cluster::tls_identity::load({cfg.certificate, cfg.key, cfg.authority});
    if (!tls)
      return tls.error();
    settings->tls = std::move(*tls);
  }
  auto listen = cfg.listen.empty() ? own_address : cfg.listen;
  if (auto why = cluster::check_cluster_address(listen, settings->tls != nullptr))
    return *why;
  auto where = listen_address::parse(listen);
  if (!where)
    return where.error();
  auto storage = env.storage;
  auto distributor = env.distributor;
  auto views = env.views;
  auto self = sys.spawn<caf::detached>(replicate, std::move(env), settings);
  auto acceptor = cluster::open_acceptor(sys, *where, settings, self);
  if (!acceptor) {
    caf::anon_send_exit(self, caf::exit_reason::user_shutdown);
    return acceptor.error();
  }
  port = acceptor->port;
  caf::anon_send(storage, caf::actor_cast<commit_listener>(self));
  caf::anon_send(distributor, caf::actor_cast<forwarder>(self));
  caf::anon_send(views, caf::actor_cast<inquirer>(self));
  return self;
}

} // namespace tidings
