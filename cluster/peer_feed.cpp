#include "cluster/peer_feed.hpp"

#include <algorithm>

namespace tidings::cluster {

void peer_feed::want(uint64_t node, const origin_position& after) {
  streams_[node] = stream{after};
  discard(node);
}

void peer_feed::stop(uint64_t node) {
  streams_.erase(node);
  discard(node);
}

void peer_feed::discard(uint64_t node) noexcept {
  if (reading_ && reading_->node == node)
    stale_ = true;
}

void peer_feed::add_credit(uint64_t bytes) noexcept {
  credit_ += static_cast<int64_t>(bytes);
}

void peer_feed::skip_to(uint64_t node, const origin_position& at) {
  auto i = streams_.find(node);
  if (i != streams_.end() && i->second.position < at)
    i->second.position = at;
}

void peer_feed::wake(uint64_t node) {
  auto i = streams_.find(node);
  if (i != streams_.end())
    i->second.idle = false;
}

action::read peer_feed::begin(uint64_t node, const origin_position& after,
                              const origin_position& up_to, ticket work, uint64_t bytes_max) {
  last_read_ = node;
  auto bytes = std::min(bytes_max, static_cast<uint64_t>(credit_));
  reading_ = action::read{work, node, after, up_to, bytes};
  stale_ = false;
  return *reading_;
}

std::optional<message> peer_feed::take(std::vector<replica> records,
                                       const std::optional<origin_head>& forgotten) {
  auto node = reading_->node;
  auto after = reading_->after;
  reading_.reset();
  auto i = streams_.find(node);
  if (stale_ || i == streams_.end())
    return std::nullopt;
  auto& position = i->second.position;
  if (forgotten && forgotten->at > position) {
    position = forgotten->at;
    return cluster::forgotten{*forgotten};
  }
  // Meanwhile the peer may have got some of them from somewhere else.
  std::erase_if(records, [&position](const replica& x) { return x.at <= position; });
  if (records.empty()) {
    i->second.idle = position == after;
    return std::nullopt;
  }
  position = records.back().at;
  auto bytes = cost(records);
  credit_ -= static_cast<int64_t>(bytes);
  bytes_sent_ += bytes;
  return data{node, std::move(records)};
}

} // namespace tidings::cluster
