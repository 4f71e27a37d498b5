#include "actors/shard/subscriber.hpp"

namespace tidings {

void append_pieces(std::vector<std::string_view>& out, const delivery::run& x, wire_format format,
                   bool chunked) {
  auto& encoded = x.batch->as(format);
  auto bytes = std::string_view{encoded.bytes};
  if (chunked) {
    auto begin = encoded.spans[x.first].chunk_begin;
    out.push_back(bytes.substr(begin, encoded.spans[x.last].chunk_end - begin));
    return;
  }
  for (auto i = x.first; i <= x.last; ++i)
    out.push_back(bytes.substr(encoded.spans[i].frame_begin,
                               encoded.spans[i].frame_end - encoded.spans[i].frame_begin));
}

uint64_t subscriber_group::deliver(uint64_t tick, lsn head) {
  auto delivered = uint64_t{0};
  if (!live_.empty()) {
    for (auto& x : pending_.runs)
      append_pieces(pending_.pieces, x, format_, chunked_);
    for (auto& x : pending_.pieces)
      pending_.bytes += x.size();
    for (size_t i = 0; i < live_.size();) {
      auto [who, sink] = live_[i];
      if (i + 2 < live_.size())
        __builtin_prefetch(live_[i + 2].sink);
      if (i + 1 < live_.size() && live_[i + 1].sink)
        live_[i + 1].sink->prefetch();
      delivered += pending_.events;
      auto taken = sink ? sink->write(pending_.pieces) : 0;
      if ((sink && taken == pending_.bytes) || who->deliver(pending_, taken))
        ++i;
      else
        leave_live(*who); // the last one takes its place
    }
    delivered_.events += pending_.events;
    delivered_.bytes += pending_.bytes;
    delivered_.tick = tick;
    delivered_.head = head;
  }
  pending_.runs.clear();
  pending_.pieces.clear();
  pending_.bytes = 0;
  pending_.events = 0;
  return delivered;
}

} // namespace tidings
