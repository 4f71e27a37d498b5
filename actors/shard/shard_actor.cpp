#include "actors/shard/shard_actor.hpp"

#include "actors/caf_failure.hpp"
#include "actors/connection/connection_actor.hpp"
#include "actors/runtime/pinned.hpp"

#include <caf/all.hpp>

#include <chrono>

namespace tidings {

namespace {

// Readers and mailboxes are actors of this process: one that is gone is an error at once. A
// timeout would stay in CAF's clock for its whole time after the answer, one for each request.
constexpr auto no_timeout = caf::infinite;
constexpr auto peer_timeout = std::chrono::seconds{5};

class shard_shell : public pinned<shard_actor::base>, public shard::agent {
public:
  shard_shell(caf::actor_config& cfg, caf::execution_unit* unit, std::shared_ptr<shard> core)
    : pinned(cfg, unit), core_(std::move(core)) {
    // nop
  }

  const char* name() const override {
    return "tidings.shard";
  }

  behavior_type make_behavior() override {
    return {
      [this](const commit_notice& x) { core_->on_commit(x); },
      [this](const shard_peers_ptr& x) {
        peers_ = x;
        core_->attach(this);
      },
      [this](const connection_query& x) { return core_->connections(x); },
      [this](caf::close_atom, uint64_t id, end_reason why) { return core_->close(id, why); },
      [this](drain_atom, bool on) { return on ? core_->drain() : core_->undrain(); },
      [this](const caller_judge& x) { core_->dismiss(*x); },
      [this](const config_ptr& x) { core_->configure(x); },
    };
  }

  void on_exit() override {
    core_->drain();
    core_->attach(nullptr);
    peers_.reset();
  }

  // -- shard::agent
  // ------------------------------------------------------------------------------------

  connection_actor spawn(uint64_t id, stream_request what,
                         std::shared_ptr<byte_sink> sink) override {
    return spawn_connection(system(), unit(), *core_, next_reader(), id, std::move(what),
                            std::move(sink));
  }

  void publish(publish_ptr x) override {
    send(peers_->distributor, std::move(x));
  }

  void announce(const subscription_ptr& who, bool opened) override {
    if (opened)
      send(peers_->distributor, caf::subscribe_atom_v, who);
    else
      send(peers_->distributor, caf::unsubscribe_atom_v, who);
  }

  void read_page(page_request x, std::function<void(result<page>)> then) override {
    ask<page>(next_reader(), std::move(x), std::move(then));
  }

  void list_topics(topics_request x, std::function<void(result<topic_summaries>)> then) override {
    ask<topic_summaries>(next_reader(), std::move(x), std::move(then));
  }

  void read_mailbox(mailbox_query x, std::function<void(result<mailbox_page>)> then) override {
    ask<mailbox_page>(next_reader(), std::move(x), std::move(then));
  }

  void change_mailbox(mailbox_order x, std::function<void(result<mailbox_outcome>)> then) override {
    ask<mailbox_outcome>(peers_->mailroom, std::make_shared<const mailbox_order>(std::move(x)),
                         std::move(then));
  }

  void look(view_request x, std::function<void(result<view_parts>)> then) override {
    ask<view_parts>(peers_->views, std::move(x), std::move(then));
  }

  void dismiss(caller_judge may_stay) override {
    for (auto& peer : peers_->shards)
      send(peer, may_stay);
  }

  void close_connection(uint64_t id, end_reason why, std::function<void(bool)> then) override {
    auto index = (id >> 32) - 1; // see shard::open_stream
    if (index >= peers_->shards.size()) {
      core_->post([then] { then(false); });
      return;
    }
    request(peers_->shards[index], peer_timeout, caf::close_atom_v, id, why)
      .then([then](bool closed) { then(closed); }, [then](const caf::error&) { then(false); });
  }

  void change_members(cluster::change_request x,
                      std::function<void(result<cluster::change_outcome>)> then) override {
    ask_keeper<cluster::change_outcome>(
      std::move(then), std::make_shared<const cluster::change_request>(std::move(x)));
  }

  void drain_node(bool on, std::function<void(result<std::vector<std::string>>)> then) override {
    ask_keeper<std::vector<std::string>>(std::move(then), drain_atom_v, on);
  }

private:
  /// Its timeouts are its own.
  template <class Answer, class... Question>
  void ask_keeper(std::function<void(result<Answer>)> then, Question... x) {
    request(peers_->keeper, caf::infinite, std::move(x)...)
      .then([then](Answer& answer) { then(std::move(answer)); },
            [then](const caf::error& err) { then(from_caf(err)); });
  }

  template <class Answer, class Actor, class Question>
  void ask(const Actor& whom, Question x, std::function<void(result<Answer>)> then) {
    request(whom, no_timeout, std::move(x))
      .then([then](Answer& answer) { then(std::move(answer)); },
            [then](const caf::error& err) { then(from_caf(err)); });
  }

  const reader_actor& next_reader() {
    return peers_->readers[next_reader_++ % peers_->readers.size()];
  }

  std::shared_ptr<shard> core_;
  shard_peers_ptr peers_;
  size_t next_reader_ = 0;
};

} // namespace

shard_actor spawn_shard(caf::actor_system& sys, caf::execution_unit* unit,
                        std::shared_ptr<shard> core) {
  return sys.spawn<shard_shell>(unit, std::move(core));
}

} // namespace tidings
