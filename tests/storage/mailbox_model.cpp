#define CAF_SUITE mailbox_model

// Mailboxes after any history, against one that is kept in memory without any cleverness.

#include "storage/mailbox_fixture.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace tidings;
using namespace tidings::storage::testing;

namespace {

using positions = std::vector<uint64_t>;

constexpr size_t users = 5;
constexpr int64_t keep_read_ms = 30 * minute_ms;

std::string user_name(uint64_t i) {
  return std::string{"u"} + static_cast<char>('0' + i);
}

class model {
public:
  struct entry {
    event content;
    int64_t time_ms = 0;
    std::set<std::string> released; // topics that have let go of it

    bool names(const std::string& topic) const {
      return std::count(content.topics.begin(), content.topics.end(), topic) != 0;
    }

    bool holds(const std::string& topic) const {
      return names(topic) && released.count(topic) == 0;
    }

    bool is_expired(int64_t now_ms) const {
      return content.expires_at_ms != 0 && content.expires_at_ms <= now_ms;
    }
  };

  topic_retention bound_of(const std::string& topic) const {
    if (auto changed = bounds_.find(topic); changed != bounds_.end())
      return changed->second;
    if (topic == "user:u0")
      return {4, 0};
    if (topic == "user:u1")
      return {0, 200};
    if (topic == "user:u2")
      return {0, 0, 3};
    if (topic == "user:u3")
      return {0, 0, 1};
    if (topic == everyone_topic)
      return {6, 0};
    return {};
  }

  /// As after a reload of the configuration.
  void rebind(const std::string& topic, topic_retention bound) {
    bounds_[topic] = bound;
  }

  void append(const log_entry& x, int64_t now_ms) {
    for (auto& change : x.changes)
      states_[{change.user, to_integer(change.entry.item)}] = {change.entry.state,
                                                               change.entry.changed_ms};
    entries_.push_back({x.content.content, now_ms, {}});
    for (auto& topic : x.content.content.topics)
      trim(topic, now_ms);
  }

  uint64_t last() const {
    return entries_.size();
  }

  std::vector<mailbox_entry> mailbox(const std::string& user, size_t limit, int64_t now_ms) const {
    std::vector<mailbox_entry> found;
    for (auto at = last(); at > 0 && found.size() < limit; --at) {
      auto& x = entries_[at - 1];
      auto shared = x.names(everyone);
      if (!x.content.mail || !x.holds(shared ? everyone : user_topic(user)) || x.is_expired(now_ms)
          || is_done(user, at, now_ms))
        continue;
      auto [state, changed_ms] = state_of(user, at);
      found.push_back({lsn{at}, state, x.content.mail->level, shared, x.time_ms,
                       x.content.expires_at_ms, changed_ms, x.content.type});
    }
    std::reverse(found.begin(), found.end());
    return found;
  }

  /// What a user's stream shows, and what it says is missing.
  std::pair<positions, positions> replay(const std::string& user, int64_t now_ms) const {
    std::pair<positions, positions> found;
    const std::vector<std::string> topics{user_topic(user), everyone, mailbox_topic(user)};
    for (uint64_t at = 1; at <= last(); ++at) {
      auto& x = entries_[at - 1];
      auto any = [&](auto f) { return std::any_of(topics.begin(), topics.end(), f); };
      if (!any([&](auto& topic) { return x.names(topic); }))
        continue;
      if (!any([&](auto& topic) { return x.holds(topic); }) || x.is_expired(now_ms))
        found.second.push_back(at);
      else if (!x.content.mail || !is_done(user, at, now_ms))
        found.first.push_back(at);
    }
    return found;
  }

private:
  using state = std::pair<item_state, int64_t>;

  state state_of(const std::string& user, uint64_t at) const {
    auto i = states_.find({user, at});
    return i == states_.end() ? state{item_state::unread, 0} : i->second;
  }

  bool is_done(const std::string& user, uint64_t at, int64_t now_ms) const {
    auto [state, changed_ms] = state_of(user, at);
    return state == item_state::dismissed
           || (state == item_state::read && changed_ms + keep_read_ms <= now_ms);
  }

  void trim(const std::string& topic, int64_t now_ms) {
    auto bound = bound_of(topic);
    if (bound.items_max != 0)
      return trim_items(topic, bound.items_max, now_ms);
    std::vector<entry*> live;
    uint64_t bytes = 0;
    auto weight = [](const entry& x) {
      auto sum = x.content.data.size() + x.content.type.size() + x.content.id.size();
      return x.content.mail ? sum + x.content.mail->title.size() + x.content.mail->message.size()
                            : sum;
    };
    for (auto& x : entries_)
      if (x.holds(topic) && !x.is_expired(now_ms)) {
        live.push_back(&x);
        bytes += weight(x);
      }
    for (size_t i = 0; i + 1 < live.size(); ++i) {
      if ((bound.events_max == 0 || live.size() - i <= bound.events_max)
          && (bound.bytes_max == 0 || bytes <= bound.bytes_max))
        break;
      bytes -= weight(*live[i]);
      live[i]->released.insert(topic);
    }
  }

  /// What a user is done with, or went to everyone, is no item of the mailbox.
  void trim_items(const std::string& topic, uint64_t max, int64_t now_ms) {
    std::vector<entry*> live;
    auto user = std::string{*user_of_topic(topic)};
    for (size_t i = 0; i < entries_.size(); ++i) {
      auto& x = entries_[i];
      if (x.content.mail && x.holds(topic) && !x.names(everyone) && !x.is_expired(now_ms)
          && state_of(user, i + 1).first != item_state::dismissed)
        live.push_back(&x);
    }
    for (size_t i = 0; i + max < live.size(); ++i)
      live[i]->released.insert(topic);
  }

  const std::string everyone{everyone_topic};
  std::vector<entry> entries_; // of position 1, 2, …
  std::map<std::pair<std::string, uint64_t>, state> states_;
  std::map<std::string, topic_retention> bounds_;
};

struct fixture : mailbox_fixture {
  std::mt19937_64 random;
  model expected;

  explicit fixture(uint64_t seed) : random(seed) {
    mailboxes.keep_read = milliseconds{keep_read_ms};
    if (!open())
      throw std::runtime_error(error.detail);
  }

  void append(std::vector<log_entry> batch) {
    for (auto& x : batch) {
      for (auto& topic : x.content.content.topics)
        x.retention.push_back(expected.bound_of(topic));
      expected.append(x, clock.wall);
    }
    if (auto failed = store->append(batch, random() % 8 == 0))
      throw std::runtime_error(failed->detail);
    CAF_REQUIRE_EQUAL(to_integer(store->last()), expected.last());
  }

  log_entry random_entry() {
    std::set<std::string> topics;
    if (random() % 6 == 0)
      topics.emplace(everyone_topic);
    if (random() % 6 == 0)
      topics.emplace("orders");
    do
      if (topics.empty() || random() % 2 == 0)
        topics.insert(user_topic(user_name(random() % users)));
    while (random() % 3 == 0);
    auto x = make_item({topics.begin(), topics.end()}, std::to_string(random() % 1'000'000));
    auto& content = x.content.content;
    std::shuffle(content.topics.begin(), content.topics.end(), random);
    if (random() % 8 == 0)
      content.mail.reset(); // an event for users that is no item
    content.type = random() % 2 == 0 ? "" : "t" + std::to_string(random() % 10);
    if (random() % 3 == 0)
      content.expires_at_ms = clock.wall + 1 + static_cast<int64_t>(random() % (2 * hour_ms));
    return x;
  }

  void add_items() {
    std::vector<log_entry> batch(1 + random() % 5);
    for (auto& x : batch)
      x = random_entry();
    if (random() % 4 == 0)
      batch.insert(batch.begin(), random_change());
    append(std::move(batch));
  }

  void change_bound() {
    const topic_retention bounds[] = {{}, {0, 0, 2}, {3, 0}, {0, 0, 4}, {0, 150}};
    expected.rebind(user_topic(user_name(2 + random() % 2)), bounds[random() % std::size(bounds)]);
  }

  log_entry random_change() {
    auto user = user_name(random() % users);
    std::vector<mailbox_entry> raised;
    for (auto& x : list(user))
      if (random() % 4 == 0) {
        auto state = static_cast<uint64_t>(x.state);
        x.state = static_cast<item_state>(state + 1 + random() % (item_state_count - 1 - state));
        x.changed_ms = clock.wall;
        raised.push_back(x);
      }
    return make_change(user, std::move(raised));
  }

  void check(const std::string& user) {
    for (auto limit : {size_t{1000}, static_cast<size_t>(random() % 8)}) {
      auto seen = list(user, limit);
      auto right = expected.mailbox(user, limit, clock.wall);
      if (seen != right)
        CAF_FAIL("the mailbox of " << user << " is " << show(user, limit) << " and should have "
                                   << right.size());
      positions listed;
      for (auto& x : seen)
        listed.push_back(to_integer(x.item));
      CAF_CHECK_EQUAL(records(listed).positions(), listed);
    }
    auto seen = replay(user);
    auto [shown, missing] = expected.replay(user, clock.wall);
    CAF_CHECK_EQUAL(seen.positions(), shown);
    // The index of topics may sum up what has been evicted.
    for (auto x : seen.missing_positions())
      CAF_CHECK(std::binary_search(missing.begin(), missing.end(), x));
  }

  void run() {
    for (int step = 0; step < 300; ++step) {
      auto dice = random() % 100;
      if (dice < 40) {
        add_items();
      } else if (dice < 60) {
        append({random_change()});
      } else if (dice < 70) {
        clock.advance(static_cast<int64_t>(random() % (10 * minute_ms)));
      } else if (dice < 73) {
        maintain();
      } else if (dice < 75) {
        CAF_REQUIRE(reopen());
      } else if (dice < 78) {
        change_bound();
      } else if (dice < 80) {
        crash();
        if (!open())
          CAF_FAIL(error.detail);
        store->clock().confirm(); // the witness of the time may be old
      }
      check(user_name(random() % users));
    }
    for (size_t i = 0; i <= users; ++i) // the last has never been sent anything
      check(user_name(i));
  }
};

} // namespace

CAF_TEST(mailboxes agree with the model after any history) {
  // More of them: TIDINGS_TEST_SEEDS=1000
  auto wanted = std::getenv("TIDINGS_TEST_SEEDS");
  auto seeds = wanted ? std::strtoull(wanted, nullptr, 10) : 4;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    CAF_MESSAGE("seed " << seed);
    fixture{seed}.run();
  }
}
