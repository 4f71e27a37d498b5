#pragma once

#include "actors/messages.hpp"
#include "actors/topic/rate_limit.hpp"

#include <string>

namespace tidings {

/// What one topic decides about what is published to it. An event of several topics meets the
/// policy of each: the highest level, the shortest bound on its life, and it is stored if any of
/// them stores.
class topic_policy {
public:
  topic_policy(std::string topic, const config& cfg);

  /// Applies new settings.
  void configure(const config& cfg);

  /// Decides about one item; refuses it by setting its outcome.
  void apply(publish_item& x, int64_t steady_ms);

private:
  std::string topic_;
  milliseconds ttl_{};
  milliseconds ttl_max_{};
  durability level_ = durability::none; // of who names none
  durability least_level_ = durability::none;
  topic_retention retention_;
  uint64_t items_max_ = 0; // of a mailbox, if the topic is a user's or everyone's; 0: it is not
  bool ephemeral_ = false;
  uint32_t rate_per_second_ = 0;
  rate_limit rate_{0};
};

/// What is kept of the topics of an event that another node accepted: that node has decided about
/// all else.
std::vector<topic_retention> retention_of(const event& x, const config& cfg);

/// Settles how long an item lives, after all its topics have spoken.
void settle_expiry(publish_item& x, int64_t now_ms);

} // namespace tidings
