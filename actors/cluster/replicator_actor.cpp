#include "actors/cluster/replicator_actor.hpp"

#include "actors/cluster/acceptor.hpp"
#include "actors/cluster/link_messages.hpp"
#include "actors/cluster/member_links.hpp"
#include "actors/cluster/member_list.hpp"
#include "actors/cluster/member_requests.hpp"
#include "actors/cluster/membership_keeper.hpp"
#include "actors/cluster/quorum_queue.hpp"
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

/// Of the work that publishes what was set aside; tickets of the core begin with 1.
constexpr uint64_t aside_ticket = 0;
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

class replicator_state : public membership_keeper::host, public member_links::listener {
public:
  static inline const char* name = "tidings.replicator";

  explicit replicator_state(caf::event_based_actor* self) : self_(self) {
    // nop
  }

  caf::behavior make_behavior(cluster_environment env, cluster::link_settings_ptr settings) {
    env_ = std::move(env);
    auto& self = env_.store->node();
    members_.emplace(env_.members, env_.cfg.node, self.short_form());
    keeper_.emplace(env_.members, env_.cfg.node, env_.cfg.change_timeout.count(), *this);
    links_.emplace(self_, env_.cfg.node, self, std::move(settings), *members_, *env_.clock, *this);
    waiting_.emplace(self.short_form());
    cluster::replicator_settings how;
    how.window_bytes = env_.cfg.window_bytes;
    how.join_timeout_ms = env_.cfg.join_timeout.count();
    how.origins_max = cursor::components_max;
    on_disk_ = env_.store->heads();
    core_.emplace(self.short_form(), env_.store->incarnation(), to_heads(on_disk_), ++version_,
                  members_->ids(), how, now_ms());
    requests_.emplace(self_, env_, *links_);
    env_.gate->majority = static_cast<uint32_t>(cluster::majority(members_->all().size()));
    self_->set_default_handler(caf::drop);
    self_->set_exit_handler([this](const caf::exit_msg& x) {
      links_->close_all(cluster::close_reason::shutting_down);
      self_->quit(x.reason);
    });
    self_->delayed_send(self_, tick_interval, caf::tick_atom_v);
    links_->follow_list();
    perform();
    show();
    return {
      [this](const commit_report_ptr& x) { on_report(*x); },
      [this](const publish_ptr& x) { await_quorum(x); },
      [this](const cluster::link_up& x) { links_->on_up(x); },
      [this](const cluster::link_received& x) { on_received(x); },
      [this](caf::forward_atom, const publish_ptr& x) { requests_->pass_on(x); },
      [this](deliver_atom, const batch_ptr& x) {
        if (!links_->empty())
          requests_->deliver_elsewhere(*x);
      },
      [this](const forwarded_outcome& x) { requests_->on_forwarded(x); },
      [this](const member_question& x) { return requests_->ask_view(x); },
      [this](const change_order_ptr& x) { return change_members(*x); },
      [this](drain_atom, bool on) { return drain(on); },
      [this](const cluster::link_suspect& x) { links_->on_suspect(x); },
      [this](const cluster::link_down& x) { links_->on_down(x); },
      [this](const cluster::dial_failed& x) { links_->on_dial_failed(x); },
      [this](caf::tick_atom) {
        on_tick();
        self_->delayed_send(self_, tick_interval, caf::tick_atom_v);
      },
    };
  }

private:
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
    if (x.synced) {
      // Of a node that was moved back to nothing there is no head any more.
      for (auto& before : on_disk_)
        if (std::none_of(x.heads.begin(), x.heads.end(),
                         [&](const log_head& head) { return head.node == before.node; }))
          changed.push_back({before.node, {}, 0});
      on_disk_ = x.heads;
    }
    std::vector<ticket> done;
    for (auto n : x.done)
      done.push_back(ticket{n});
    core_->stored(changed, done);
    for (auto& refusal : x.refused) {
      aside_waits_ = aside_waits_ || refusal.ticket == aside_ticket;
      core_->refused(ticket{refusal.ticket},
                     refusal.is_fork ? cluster::refusal::fork : cluster::refusal::not_now);
    }
    perform();
  }

  void await_quorum(const publish_ptr& x) {
    auto wanted = waiting_->wanted(*x);
    if (wanted <= core_->quorum()) { // also when nothing of it is new
      auto copies = wanted.sequence == 0 ? size_t{0} : core_->copies(wanted);
      waiting_->settle(*x, static_cast<uint32_t>(copies), copies_of_others());
      return give_back(x);
    }
    waiting_->add(x, wanted, now_ms() + env_.cfg.quorum_timeout.count());
  }

  /// How many nodes have what another one took, as far as a majority is concerned: that one and
  /// this.
  uint32_t copies_of_others() const {
    constexpr uint32_t nodes = 2;
    return env_.gate->majority <= nodes ? nodes : 0;
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
    if (!links_->has(link))
      return;
    switch (static_cast<request_kind>(x.kind)) {
      case request_kind::members:
        return links_->say(link, cluster::response{x.id, keeper_->take_list(x.body)});
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
      links_->say(link, cluster::response{request, std::move(body)});
    };
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
      auto& x = xs.emplace_back(
        cluster::member_state{member.name, links_->link_to(member.name).has_value(), {}});
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
    auto link = links_->link_to(member);
    if (!link)
      return then(std::nullopt);
    requests_->ask(*link, kind, std::move(body), env_.cfg.change_timeout.count() + answer_grace_ms,
                   std::move(then));
  }

  status keep(const membership& x) override {
    return env_.keep(x);
  }

  void adopt(const membership& x) override {
    auto was_out = is_out();
    members_->set(x);
    env_.gate->majority = static_cast<uint32_t>(cluster::majority(members_->all().size()));
    spdlog::info("the list of members has changed version={} members=\"{}\"", x.version,
                 fmt::join(to_texts(x), " "));
    env_.on_members(x); // before anything else is taken: topics may have other owners
    if (is_out() && !was_out)
      spdlog::error("this node was removed from the cluster: it takes no new work; stop it");
    set_draining(keeper_->draining());
    core_->set_members(++version_, members_->ids());
    links_->follow_list();
    perform();
    show();
  }

  void set_draining(bool on) override {
    on = on || is_out();
    if (on == is_draining_)
      return;
    is_draining_ = on;
    spdlog::info("{}", on ? "draining: takes no new work" : "takes work again");
    env_.gate->resting = on;
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

  void on_linked(uint64_t link, const cluster::link_peer& who) override {
    if (members_->learn(who.member, who.node.short_form()))
      core_->set_members(++version_, members_->ids());
    core_->link_up(link_id{link}, who.node.short_form());
    auto& list = keeper_->present();
    if (list.version != 0 && list.version >= who.membership)
      links_->say(link,
                  cluster::request{0, static_cast<uint8_t>(request_kind::members), to_text(list)});
    perform();
  }

  void on_unlinked(uint64_t link) override {
    requests_->on_down(link);
    core_->link_down(link_id{link});
    perform();
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
    links_->say(to_number(x.link), std::move(x.what));
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
    work.forgotten_after = x.after;
    give_work(std::move(work));
  }

  void apply(cluster::action::reoriginate& x) {
    replica_work work;
    work.ticket = static_cast<uint64_t>(x.work);
    work.node = x.node;
    work.reoriginate = {x.after, x.up_to};
    give_work(std::move(work));
  }

  void apply(cluster::action::append_set_aside&) {
    publish_set_aside();
  }

  void publish_set_aside() {
    aside_waits_ = false;
    replica_work work;
    work.ticket = aside_ticket;
    work.set_aside = true;
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
    for (auto& done : waiting_->reach(x.at, static_cast<uint32_t>(x.copies), copies_of_others()))
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
    auto reason = x.reason == cluster::link_fault::replaced ? cluster::close_reason::replaced
                  : x.reason == cluster::link_fault::not_a_member
                    ? cluster::close_reason::not_a_member
                    : cluster::close_reason::unexpected_frame;
    links_->close(to_number(x.link), reason, std::string{to_string(x.reason)});
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
    if (aside_waits_)
      publish_set_aside();
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
    x.members = links_->views();
    for (auto& member : x.members)
      if (member.is_self)
        member.incarnation = env_.store->incarnation();
    x.alarms = alarms_;
    x.waiting_publishes = waiting_->size();
    x.links_up = links_->ups();
    x.links_down = links_->downs();
    env_.board->set(std::move(x));
  }

  caf::event_based_actor* self_;
  cluster_environment env_;
  std::optional<member_list> members_;
  std::optional<membership_keeper> keeper_;
  bool is_draining_ = false;
  bool aside_waits_ = false; // what was set aside could not be published yet
  int64_t rest_from_ms_ = 0;
  std::vector<std::function<void()>> resting_; // wait until nothing is on its way
  std::optional<member_links> links_;
  std::optional<cluster::replicator> core_;
  std::optional<quorum_queue> waiting_;
  std::vector<log_head> on_disk_;
  std::optional<member_requests> requests_;
  std::vector<alarm_view> alarms_;
  uint64_t version_ = 0; // of the list of members
  int64_t next_view_ms_ = 0;
};

using replicator_impl = caf::stateful_actor<replicator_state>;

caf::behavior replicate(replicator_impl* self, cluster_environment env,
                        cluster::link_settings_ptr settings) {
  return self->state.make_behavior(std::move(env), std::move(settings));
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
    then(x);
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
