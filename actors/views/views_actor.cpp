#include "actors/views/views_actor.hpp"

#include "actors/views/node_numbers.hpp"
#include "actors/views/view_codec.hpp"
#include "actors/views/view_merge.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <functional>

namespace tidings {

const char* to_string(member_state x) noexcept {
  switch (x) {
    case member_state::ok:
      return "ok";
    case member_state::unreachable:
      return "unreachable";
    case member_state::timeout:
      return "timeout";
    case member_state::overloaded:
      return "overloaded";
    case member_state::unreadable:
      return "unreadable";
  }
  return "unknown";
}

namespace {

constexpr auto shard_timeout = std::chrono::seconds{5};

class views_state {
public:
  static inline const char* name = "tidings.views";

  explicit views_state(views_actor::pointer self) : self_(self) {
    // nop
  }

  views_actor::behavior_type make_behavior(views_environment env) {
    env_ = std::move(env);
    return {
      [this](const view_request& x) { return ask_members(x); },
      [this](list_atom, const std::string& body) { return answer_member(body); },
      [this](const inquirer& x) { others_ = x; },
    };
  }

private:
  using parts_promise = caf::typed_response_promise<view_parts>;

  /// A view whose parts come one by one.
  struct gathering {
    view_parts parts;
    size_t awaited = 0;
    parts_promise asked_by;
  };

  using gathering_ptr = std::shared_ptr<gathering>;

  parts_promise ask_members(const view_request& x) {
    auto all = std::make_shared<gathering>();
    all->asked_by = self_->make_response_promise<view_parts>();
    for (auto& member : members())
      if (!x.only || *x.only == member)
        all->parts.push_back({member, member_state::ok, {}});
    all->awaited = all->parts.size();
    if (all->awaited == 0)
      all->asked_by.deliver(view_parts{});
    for (size_t i = 0; i < all->parts.size(); ++i) {
      auto& member = all->parts[i].member;
      auto question = question_for(x, member);
      if (member == env_.member)
        look(question,
             [=](view_answer answer) { arrive(*all, i, member_state::ok, std::move(answer)); });
      else
        ask(all, i, std::move(question));
    }
    return all->asked_by;
  }

  /// Names, ascending.
  std::vector<std::string> members() const {
    if (!env_.board)
      return {env_.member};
    std::vector<std::string> names;
    for (auto& x : env_.board->get().members)
      names.push_back(x.name);
    if (std::find(names.begin(), names.end(), env_.member) == names.end())
      names.push_back(env_.member); // it is being removed
    std::sort(names.begin(), names.end());
    return names;
  }

  void ask(const gathering_ptr& all, size_t i, view_question question) {
    if (!others_)
      return arrive(*all, i, member_state::unreachable, {});
    member_question what{all->parts[i].member, encode_question(question)};
    self_->request(others_, caf::timespan{env_.timeout}, std::move(what))
      .then(
        [=](const member_answer& x) {
          if (x.state != member_state::ok)
            return arrive(*all, i, x.state, {});
          auto answer = decode_answer(x.body, question);
          arrive(*all, i, answer ? member_state::ok : member_state::unreadable,
                 std::move(answer).value_or(view_answer{}));
        },
        [=](const caf::error& err) {
          arrive(*all, i,
                 err == caf::sec::request_timeout ? member_state::timeout
                                                  : member_state::unreachable,
                 {});
        });
  }

  static void arrive(gathering& all, size_t i, member_state state, view_answer answer) {
    all.parts[i].state = state;
    all.parts[i].answer = std::move(answer);
    if (--all.awaited == 0)
      all.asked_by.deliver(std::move(all.parts));
  }

  caf::typed_response_promise<std::string> answer_member(const std::string& body) {
    auto promise = self_->make_response_promise<std::string>();
    if (auto question = decode_question(body))
      look(*question,
           [promise](const view_answer& x) mutable { promise.deliver(encode_answer(x)); });
    else
      promise.deliver(std::string{});
    return promise;
  }

  // -- this node
  // -----------------------------------------------------------------------------------

  using continuation = std::function<void(view_answer)>;

  void look(const view_question& x, continuation then) {
    std::visit([&](auto& what) { look_for(what, std::move(then)); }, x);
  }

  void look_for(const numbers_query&, continuation then) {
    auto x = read_numbers(*env_.stats, env_.store->statistics());
    x.version = env_.version;
    x.uptime_seconds = static_cast<uint64_t>((env_.clock->wall_ms() - env_.started_ms) / 1000);
    then(std::move(x));
  }

  void look_for(const connection_query& x, continuation then) {
    struct pages {
      std::vector<connection_page> found;
      size_t awaited;
    };
    auto all = std::make_shared<pages>(pages{{}, env_.shards.size()});
    auto finish = [this, all, x, then = std::move(then)] {
      if (--all->awaited != 0)
        return;
      auto page = merge_pages(std::move(all->found), x);
      for (auto& one : page.found)
        one.cursor = env_.store->cursor_at(one.position).to_string();
      then(std::move(page));
    };
    for (auto& shard : env_.shards)
      self_->request(shard, shard_timeout, x)
        .then(
          [=](const connection_page& page) {
            all->found.push_back(page);
            finish();
          },
          [=](const caf::error&) { finish(); });
  }

  void look_for(const close_order& x, continuation then) {
    auto index = (x.id >> 32) - 1; // see shard::open_stream
    if (index >= env_.shards.size())
      return then(false);
    self_->request(env_.shards[index], shard_timeout, caf::close_atom_v, x.id, end_reason::closed)
      .then([then](bool closed) { then(closed); }, [then](const caf::error&) { then(false); });
  }

  views_actor::pointer self_;
  views_environment env_;
  inquirer others_; // none: there are no others
};

views_actor::behavior_type views(views_actor::stateful_pointer<views_state> self,
                                 views_environment env) {
  return self->state.make_behavior(std::move(env));
}

} // namespace

views_actor spawn_views(caf::actor_system& sys, views_environment env) {
  return sys.spawn<caf::detached>(views, std::move(env));
}

} // namespace tidings
