#include "actors/topic/topic_policy.hpp"

#include <algorithm>

namespace tidings {

topic_policy::topic_policy(std::string topic, const config& cfg) : topic_(std::move(topic)) {
  configure(cfg);
}

namespace {

const topic_rule* rule_of(const std::string& topic, const config& cfg) {
  auto rule = std::find_if(cfg.topic.begin(), cfg.topic.end(),
                           [&](auto& x) { return x.pattern.matches(topic); });
  return rule == cfg.topic.end() ? nullptr : &*rule;
}

bool is_mailbox(const std::string& topic) {
  return topic == everyone_topic || user_of_topic(topic);
}

/// @param own what the topic's rule says
/// @param items_max of a mailbox; 0: the topic is none
topic_retention with_mailbox_bound(topic_retention own, uint64_t items_max) {
  if (!own.bounded())
    own.items_max = items_max;
  return own;
}

} // namespace

void topic_policy::configure(const config& cfg) {
  if (is_reserved_topic(topic_))
    return; // the broker says itself what is to become of its own events
  ttl_ = cfg.topics.ttl;
  ttl_max_ = cfg.topics.ttl_max;
  level_ = level_of_topics(cfg);
  least_level_ = least_level_of_topics(cfg);
  retention_ = {};
  ephemeral_ = false;
  items_max_ = is_mailbox(topic_) ? cfg.mailbox.items_max : uint64_t{0};
  auto rate = uint32_t{0};
  if (auto rule = rule_of(topic_, cfg)) {
    ttl_ = rule->ttl.value_or(ttl_);
    ttl_max_ = rule->ttl_max.value_or(ttl_max_);
    level_ = rule->level.value_or(level_);
    least_level_ = rule->level.value_or(least_level_);
    retention_ = rule->retention;
    ephemeral_ = rule->ephemeral;
    rate = rule->rate_per_second;
  }
  if (rate != rate_per_second_) {
    rate_per_second_ = rate;
    rate_ = rate_limit{rate};
  }
}

void topic_policy::apply(publish_item& x, int64_t steady_ms) {
  if (x.outcome.refused)
    return;
  if (!rate_.admit(steady_ms)) {
    x.outcome.refused =
      failure{errc::rate_limited, "the topic '" + topic_ + "' takes "
                                    + std::to_string(rate_per_second_) + " events per second"};
    return;
  }
  if (x.what.level && *x.what.level < least_level_) {
    x.outcome.refused = failure{errc::level_too_low,
                                "the topic '" + topic_ + "' wants at least the level "
                                  + to_string(least_level_) + ", not " + to_string(*x.what.level)};
    return;
  }
  auto& topics = x.what.content.topics;
  if (!x.what.ttl)
    x.what.ttl = ttl_;
  if (ttl_max_.count() != 0)
    x.ttl_max = std::min(x.ttl_max.value_or(ttl_max_), ttl_max_);
  x.level = std::max(x.level, x.what.level.value_or(level_));
  auto is_item = x.what.content.mail != nullptr;
  x.ephemeral = x.ephemeral && ephemeral_ && !is_item;
  auto retention = with_mailbox_bound(retention_, items_max_);
  if (retention.bounded()) {
    x.retention.resize(topics.size());
    for (size_t i = 0; i < topics.size(); ++i)
      if (topics[i] == topic_)
        x.retention[i] = retention;
  }
}

std::vector<topic_retention> retention_of(const event& x, const config& cfg) {
  std::vector<topic_retention> found;
  for (size_t i = 0; i < x.topics.size(); ++i) {
    auto& topic = x.topics[i];
    if (is_reserved_topic(topic))
      continue;
    auto rule = rule_of(topic, cfg);
    auto bound = with_mailbox_bound(rule ? rule->retention : topic_retention{},
                                    is_mailbox(topic) ? cfg.mailbox.items_max : 0);
    if (!bound.bounded())
      continue;
    found.resize(x.topics.size());
    found[i] = bound;
  }
  return found;
}

void settle_expiry(publish_item& x, int64_t now_ms) {
  auto ttl = x.what.ttl.value_or(milliseconds{0});
  if (x.ttl_max && (ttl.count() == 0 || ttl > *x.ttl_max))
    ttl = *x.ttl_max;
  x.what.content.expires_at_ms = ttl.count() == 0 ? 0 : now_ms + ttl.count();
}

} // namespace tidings
