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

uint64_t subscriber_group::deliver() {
  auto delivered = uint64_t{0};
  if (!live_.empty()) {
    for (auto& x : pending_.runs)
      append_pieces(pending_.pieces, x, format_, chunked_);
    for (auto& x : pending_.pieces)
      pending_.bytes += x.size();
    for (size_t i = 0; i < live_.size();) {
      auto* x = live_[i];
      delivered += pending_.events;
      if (x->deliver(pending_))
        ++i;
      else
        leave_live(*x); // the last one takes its place
    }
  }
  pending_.runs.clear();
  pending_.pieces.clear();
  pending_.bytes = 0;
  pending_.events = 0;
  return delivered;
}

} // namespace tidings
