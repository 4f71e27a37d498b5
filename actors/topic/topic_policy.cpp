#include "actors/topic/topic_policy.hpp"

#include <algorithm>

namespace tidings {

topic_policy::topic_policy(std::string topic, const config& cfg) : topic_(std::move(topic)) {
  configure(cfg);
}

void topic_policy::configure(const config& cfg) {
  if (is_reserved_topic(topic_))
    return; // the broker says itself what is to become of its own events
  ttl_ = cfg.topics.ttl;
  ttl_max_ = cfg.topics.ttl_max;
  level_ = cfg.topics.level;
  retention_ = {};
  ephemeral_ = false;
  items_max_ =
    topic_ == everyone_topic || user_of_topic(topic_) ? cfg.mailbox.items_max : uint64_t{0};
  auto rate = uint32_t{0};
  auto rule = std::find_if(cfg.topic.begin(), cfg.topic.end(),
                           [this](auto& x) { return x.pattern.matches(topic_); });
  if (rule != cfg.topic.end()) {
    ttl_ = rule->ttl.value_or(ttl_);
    ttl_max_ = rule->ttl_max.value_or(ttl_max_);
    level_ = rule->level.value_or(level_);
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
  if (x.what.level && *x.what.level < level_) {
    x.outcome.refused =
      failure{errc::level_too_low, "the topic '" + topic_ + "' wants at least the level "
                                     + to_string(level_) + ", not " + to_string(*x.what.level)};
    return;
  }
  auto& topics = x.what.content.topics;
  if (!x.what.ttl)
    x.what.ttl = ttl_;
  if (ttl_max_.count() != 0)
    x.ttl_max = std::min(x.ttl_max.value_or(ttl_max_), ttl_max_);
  x.level = std::max({x.level, level_, x.what.level.value_or(level_)});
  auto is_item = x.what.content.mail != nullptr;
  x.ephemeral = x.ephemeral && ephemeral_ && !is_item;
  auto retention = retention_;
  if (is_item && items_max_ != 0 && retention.events_max == 0)
    retention.events_max = items_max_; // what is too much leaves the mailbox with its event
  if (retention.bounded()) {
    x.retention.resize(topics.size());
    for (size_t i = 0; i < topics.size(); ++i)
      if (topics[i] == topic_)
        x.retention[i] = retention;
  }
}

void settle_expiry(publish_item& x, int64_t now_ms) {
  auto ttl = x.what.ttl.value_or(milliseconds{0});
  if (x.ttl_max && (ttl.count() == 0 || ttl > *x.ttl_max))
    ttl = *x.ttl_max;
  x.what.content.expires_at_ms = ttl.count() == 0 ? 0 : now_ms + ttl.count();
}

} // namespace tidings
