#include "server/broker.hpp"

#include "actors/cluster/replicator_actor.hpp"
#include "actors/distributor/distributor_actor.hpp"
#include "actors/mailbox/mailroom_actor.hpp"
#include "actors/shard/shard_actor.hpp"
#include "actors/storage/reader_actor.hpp"
#include "actors/storage/storage_actor.hpp"
#include "actors/views/views_actor.hpp"
#include "http/io/worker.hpp"
#include "http/listener.hpp"
#include "http/metrics.hpp"
#include "http/session.hpp"
#include "http/tls_context.hpp"
#include "server/kept_membership.hpp"
#include "server/kept_revocations.hpp"
#include "server/logging.hpp"
#include "storage/rocksdb_event_store.hpp"
#include "tidings/config_loader.hpp"
#include "tidings/descriptors.hpp"
#include "tidings/listen_address.hpp"
#include "tidings/text_file.hpp"

#include <caf/all.hpp>
#include <caf/io/middleman.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace tidings {

namespace {

struct system_config : caf::actor_system_config {
  system_config() {
    add_message_types<caf::id_block::tidings>();
    // Idle workers of the default policy poll, and so take time from the I/O threads.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{1}); // routing is cheap, and needs no second hand-over
    set("scheduler.max-throughput", size_t{64});
  }
};

class running_broker : public broker {
public:
  running_broker(config cfg, std::function<void(const failure&)> on_broken)
    : config_(std::make_shared<config>(with_membership(std::move(cfg)))),
      started_with_(config_),
      on_broken_(std::move(on_broken)) {
    if (!config_->cluster.enabled())
      return;
    actor_config_.load<caf::io::middleman>();
    actor_config_.set("middleman.workers", size_t{0}); // they would serve CAF's own protocol
  }

  ~running_broker() override {
    stop();
  }

  status open() {
    auto gate = authenticator::make(config_->auth, revoked_);
    if (!gate)
      return gate.error();
    context_.gate = std::move(*gate);
    auto schemas = schema_set::load(config_->schema);
    if (!schemas)
      return schemas.error();
    context_.schemas = std::move(*schemas);
    if (auto why = take_over_members())
      return why;
    auto descriptors = raise_descriptor_limit();
    auto store =
      storage::rocksdb_event_store::open(config_->storage, config_->mailbox, system_clock_source());
    if (!store)
      return store.error();
    store_ = std::move(*store);
    // Once a member, now alone: nobody else will give back what it would have waited for.
    if (!config_->cluster.enabled())
      if (auto again = store_->append_set_aside();
          !again && again.error().code != errc::storage_full)
        return again.error();
    if (auto why = load_revocations(*store_, *revoked_, store_->clock().delete_now_ms()))
      return why;
    context_.revoked = revoked_;
    context_.past_ms = [this] { return store_->clock().delete_now_ms(); };
    context_.stats = stats_;
    context_.version = TIDINGS_VERSION;
    context_.started_ms = clock_.wall_ms();
    context_.connections_max = connections_max(descriptors);
    context_.not_ready = [this] { return not_ready(); };
    context_.cluster = board_;
    context_.metrics = [this] {
      return http::render_metrics(*stats_, store_->statistics(), board_.get(), context_.version);
    };
    start_actors();
    if (config_->cluster.enabled())
      if (auto why = start_cluster())
        return why;
    listener_.emplace(worker_pointers(), context_);
    if (!config_->tls.certificate.empty()) {
      auto tls = http::make_tls_context(config_->tls);
      if (!tls)
        return tls.error();
      listener_->set_tls(*tls);
    }
    if (auto why = listener_->open(config_->server.listen))
      return why;
    if (auto address = listen_address::parse(config_->server.listen);
        address && !address->loopback && context_.gate.load()->is_open())
      spdlog::warn("everyone who can reach {} may publish and read: nobody has to sign in",
                   listener_->address());
    listener_->start();
    for (auto& x : workers_)
      x->start();
    serving_ = true;
    return std::nullopt;
  }

  std::string url() const override {
    return (started_with_->tls.certificate.empty() ? "http://" : "https://") + listener_->address();
  }

  status reload(config cfg) override {
    auto restart = needs_restart(*started_with_, cfg);
    std::shared_ptr<boost::asio::ssl::context> tls;
    if (!cfg.tls.certificate.empty() && !started_with_->tls.certificate.empty()) {
      auto fresh = http::make_tls_context(cfg.tls);
      if (!fresh) {
        add(stats_->reloads_failed);
        return fresh.error();
      }
      tls = *fresh;
    }
    auto gate = authenticator::make(cfg.auth, revoked_);
    if (!gate) {
      add(stats_->reloads_failed);
      return gate.error();
    }
    auto schemas = schema_set::load(cfg.schema);
    if (!schemas) {
      add(stats_->reloads_failed);
      return schemas.error();
    }
    for (auto& key : restart)
      spdlog::warn("configuration changed but needs a restart key={}", key);
    configure_logging(cfg.log);
    if (tls)
      listener_->set_tls(tls);
    context_.schemas = std::move(*schemas); // before the shards hear that there are some
    auto settings = go_by(std::move(cfg));
    for (auto& x : shards_)
      caf::anon_send(x, settings);
    caf::anon_send(mailroom_, settings);
    if ((*gate)->is_open() && !context_.gate.load()->is_open())
      spdlog::warn("nobody has to sign in any more: the configuration names no way to");
    revoked_->set_lifetime(token_life_max(settings->auth));
    context_.gate = *gate;
    dismiss_who_may_not_stay(std::move(*gate), shards_);
    add(stats_->reloads);
    return std::nullopt;
  }

  void stop() override {
    if (stopped_)
      return;
    stopped_ = true;
    if (!system_)
      return;
    auto deadline = std::chrono::steady_clock::now() + settings()->server.drain_timeout;
    if (serving_) {
      context_.draining = true;
      boost::asio::post(workers_.front()->context(), [this] { listener_->close(); });
      for (auto& x : workers_)
        boost::asio::post(x->context(), [w = x.get()] {
          for (auto& s : w->sessions())
            s->drain();
        });
      wait(
        deadline, [this] { return value(stats_->publish_bytes) == 0; }, "publishes");
    }
    {
      caf::scoped_actor self{*system_};
      self->request(storage_, remaining(deadline), sync_atom_v)
        .receive([](bool) {},
                 [&](const caf::error& err) {
                   spdlog::error("the last commit failed err=\"{}\"", system_->render(err));
                 });
      if (serving_)
        for (auto& x : shards_)
          self->request(x, remaining(deadline), drain_atom_v, true)
            .receive([](uint64_t n) { spdlog::info("streams ended count={}", n); },
                     [&](const caf::error& err) {
                       spdlog::warn("streams did not end err=\"{}\"", system_->render(err));
                     });
    }
    if (serving_)
      wait(
        deadline, [this] { return value(stats_->connections_open) == 0; }, "connections");
    // Who did not come to an end in time is cut off: threads end only when no session is left.
    for (auto& x : workers_)
      boost::asio::post(x->context(), [w = x.get()] {
        for (auto& s : w->sessions())
          s->abort();
      });
    for (auto& x : shards_)
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(distributor_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(mailroom_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(views_, caf::exit_reason::user_shutdown);
    if (replicator_)
      caf::anon_send_exit(replicator_, caf::exit_reason::user_shutdown);
    replicator_ = nullptr;
    caf::anon_send_exit(storage_, caf::exit_reason::user_shutdown);
    for (auto& x : readers_)
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
    shards_.clear();
    readers_.clear();
    {
      std::lock_guard guard{config_mutex_};
      distributor_ = nullptr;
      storage_ = nullptr;
    }
    mailroom_ = nullptr;
    views_ = nullptr;
    if (!serving_)
      for (auto& x : workers_)
        x->start(); // pinned actors end on their own threads
    system_->await_all_actors_done();
    for (auto& x : workers_)
      x->stop();
    listener_.reset();
    workers_.clear();
    system_.reset();
    store_.reset();
  }

private:
  static config with_membership(config x) {
    x.storage.is_member = x.cluster.enabled();
    return x;
  }

  config_ptr settings() {
    std::lock_guard guard{config_mutex_};
    return config_;
  }

  status take_over_members() {
    if (!config_->cluster.enabled())
      return std::nullopt;
    auto list = load_membership(*config_);
    if (!list)
      return list.error();
    members_ = std::move(*list);
    go_by(*config_);
    return std::nullopt;
  }

  /// Makes a configuration, with the members that count, the one in effect.
  config_ptr go_by(config x) {
    std::lock_guard guard{config_mutex_};
    return put_in_effect(std::move(x));
  }

  /// The same with other members. On the replicator's thread.
  config_ptr go_by(const membership& x) {
    std::lock_guard guard{config_mutex_};
    members_ = x;
    return put_in_effect(*config_);
  }

  /// The mutex is held.
  config_ptr put_in_effect(config x) {
    x.cluster.members = to_texts(members_);
    config_ = std::make_shared<config>(std::move(x));
    // Here, so that nobody goes back to an older list.
    if (distributor_)
      caf::anon_send(distributor_, config_);
    if (storage_)
      caf::anon_send(storage_, config_);
    return config_;
  }

  status start_cluster() {
    cluster_environment env;
    env.cfg = config_->cluster;
    env.members = members_;
    env.secret = env.cfg.secret;
    if (!env.cfg.secret_file.empty()) {
      auto secret = read_secret(env.cfg.secret_file);
      if (!secret)
        return secret.error();
      env.secret = std::move(*secret);
    }
    env.store = store_;
    env.storage = storage_;
    env.distributor = distributor_;
    env.views = views_;
    env.shards = shards_;
    env.stats = stats_;
    env.publish_bytes_max = config_->limits.publish_bytes;
    env.gate = cluster_gate_;
    env.board = board_;
    env.clock = &clock_;
    env.on_broken = [this](const failure& why) {
      broken_ = true;
      on_broken_(why);
    };
    env.keep = [directory = config_->storage.directory](const membership& x) {
      return keep_membership(directory, x);
    };
    env.on_members = [this](const membership& x) { go_by(x); };
    env.set_draining = [this](bool on) { context_.resting = on; };
    uint16_t port = 0;
    auto started = spawn_replicator(*system_, std::move(env), port);
    if (!started)
      return started.error();
    replicator_ = std::move(*started);
    introduce_shards(caf::actor_cast<cluster_keeper>(replicator_));
    spdlog::info("cluster port open port={}", port);
    return std::nullopt;
  }

  static result<std::string> read_secret(const std::string& path) {
    constexpr size_t bytes_min = 32;
    auto text = read_text_file(path);
    if (!text)
      return failure{errc::invalid_configuration,
                     "cluster.secret-file: " + path + ' ' + text.error().detail};
    while (text->ends_with('\n') || text->ends_with('\r'))
      text->pop_back();
    if (text->size() < bytes_min)
      return failure{errc::invalid_configuration, "cluster.secret-file: " + path
                                                    + " holds less than "
                                                    + std::to_string(bytes_min) + " bytes"};
    return std::move(*text);
  }

  using time_point = std::chrono::steady_clock::time_point;

  static caf::timespan remaining(time_point deadline) {
    auto left = deadline - std::chrono::steady_clock::now();
    return std::max<caf::timespan>(left, std::chrono::seconds{1});
  }

  template <class F>
  static void wait(time_point deadline, F done, const char* what) {
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) {
        spdlog::warn("shutdown goes on without waiting longer for {}", what);
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
  }

  /// As configured, or as many as the store leaves of the process's descriptors.
  uint32_t connections_max(uint64_t descriptors) const {
    auto room = share_descriptors(descriptors).connections_max;
    auto wanted = config_->limits.connections;
    if (wanted <= room)
      return wanted;
    spdlog::warn("limits.connections={} is more than the limit of open files allows: taking {}",
                 wanted, room);
    return static_cast<uint32_t>(room);
  }

  void start_actors() {
    system_.emplace(actor_config_);
    auto threads = config_->server.io_threads;
    if (threads == 0)
      threads = std::max(1u, std::thread::hardware_concurrency());
    auto head = store_->last();
    auto head_at = store_->cursor_at(head);
    for (uint32_t i = 0; i < threads; ++i) {
      auto w = std::make_unique<http::worker>(*system_);
      shard_environment env;
      env.index = i;
      env.cfg = config_;
      env.is_member = store_->is_member();
      env.member = config_->cluster.node;
      env.head = head;
      env.head_at = head_at;
      env.stats = stats_;
      env.clock = &clock_;
      env.post = [&context = w->context()](std::function<void()> f) {
        boost::asio::post(context, std::move(f));
      };
      auto core = std::make_shared<shard>(std::move(env));
      w->set_shard(core);
      shards_.push_back(spawn_shard(*system_, w->unit(), std::move(core)));
      workers_.push_back(std::move(w));
    }
    storage_environment env;
    env.store = store_;
    env.shards = shards_;
    env.stats = stats_;
    env.cfg = config_;
    if (config_->cluster.enabled()) {
      cluster_gate_ = std::make_shared<cluster_gate>();
      board_ = std::make_shared<cluster_board>();
      context_.cluster = board_;
      env.gate = cluster_gate_;
      env.on_received = [this, shards = shards_](const record& x) { take_over(x, shards); };
    }
    env.now_ms = [store = store_] { return store->clock().read_now_ms(); };
    env.on_broken = [this](const failure& why) {
      broken_ = true;
      on_broken_(why);
    };
    storage_ = spawn_storage(*system_, std::move(env));
    for (uint32_t i = 0; i < config_->storage.readers; ++i)
      readers_.push_back(
        spawn_reader(*system_, store_, [store = store_] { return store->clock().read_now_ms(); }));
    distributor_ = spawn_distributor(*system_, config_, storage_, shards_, stats_, clock_);
    mailbox_environment mail;
    mail.storage = storage_;
    mail.readers = readers_;
    mail.store = store_;
    mail.stats = stats_;
    mail.now_ms = [store = store_] { return store->clock().read_now_ms(); };
    mailroom_ = spawn_mailroom(*system_, config_, std::move(mail), clock_);
    views_ = spawn_views(*system_, make_views_environment());
    introduce_shards({});
  }

  /// Tells the shards whom they may talk to.
  void introduce_shards(cluster_keeper keeper) {
    auto peers = std::make_shared<shard_peers>(
      shard_peers{distributor_, readers_, shards_, mailroom_, views_, std::move(keeper)});
    for (auto& x : shards_)
      caf::anon_send(x, shard_peers_ptr{peers});
  }

  views_environment make_views_environment() const {
    views_environment env;
    env.member = config_->cluster.node;
    env.version = context_.version;
    env.started_ms = context_.started_ms;
    env.timeout = config_->cluster.view_timeout;
    env.shards = shards_;
    env.store = store_;
    env.stats = stats_;
    env.board = board_;
    env.clock = &clock_;
    return env;
  }

  std::vector<http::worker*> worker_pointers() {
    std::vector<http::worker*> xs;
    for (auto& x : workers_)
      xs.push_back(x.get());
    return xs;
  }

  /// Ends the streams of those whom the gate would not let in any more.
  void dismiss_who_may_not_stay(std::shared_ptr<const authenticator> gate,
                                const std::vector<shard_actor>& shards) const {
    auto judge = std::make_shared<const std::function<bool(const caller&)>>(
      [this, gate = std::move(gate)](const caller& x) {
        return gate->is_still_good(x, clock_.wall_ms());
      });
    for (auto& x : shards)
      caf::anon_send(x, caller_judge{judge});
  }

  /// Something of the broker's own that another member has accepted. On the storage thread, which
  /// may come here when a stop has begun.
  void take_over(const record& x, const std::vector<shard_actor>& shards) {
    if (!apply_revocation(x, *revoked_, store_->clock().delete_now_ms()))
      return;
    dismiss_who_may_not_stay(context_.gate.load(), shards);
  }

  std::string not_ready() const {
    if (context_.draining || context_.resting)
      return "draining";
    if (cluster_gate_ && !cluster_gate_->joined)
      return "joining";
    if (broken_)
      return "storage_failed";
    if (store_->check_space(false))
      return "storage_full";
    return {};
  }

  const forward_clock clock_{system_clock_source()};
  std::mutex config_mutex_; // of the two below
  std::shared_ptr<const config> config_;
  membership members_;                         // without a cluster: none
  std::shared_ptr<const config> started_with_; // what needs a restart stays as it was
  std::function<void(const failure&)> on_broken_;
  std::shared_ptr<statistics> stats_ = std::make_shared<statistics>();
  std::shared_ptr<revocations> revoked_ =
    std::make_shared<revocations>(token_life_max(config_->auth));
  std::shared_ptr<storage::rocksdb_event_store> store_;
  http::broker_context context_;
  system_config actor_config_;
  std::optional<caf::actor_system> system_;
  std::vector<std::unique_ptr<http::worker>> workers_;
  std::vector<shard_actor> shards_;
  std::vector<reader_actor> readers_;
  storage_actor storage_;
  distributor_actor distributor_;
  mailroom_actor mailroom_;
  views_actor views_;
  std::shared_ptr<cluster_gate> cluster_gate_; // nullptr: the node is alone
  std::shared_ptr<cluster_board> board_;       // the same
  caf::actor replicator_;
  std::optional<http::listener> listener_;
  std::atomic<bool> broken_{false};
  bool serving_ = false;
  bool stopped_ = false;
};

} // namespace

result<std::unique_ptr<broker>> broker::start(config cfg,
                                              std::function<void(const failure&)> on_broken) {
  auto x = std::make_unique<running_broker>(std::move(cfg), std::move(on_broken));
  if (auto why = x->open()) {
    x->stop();
    return *why;
  }
  return std::unique_ptr<broker>{std::move(x)};
}

} // namespace tidings
