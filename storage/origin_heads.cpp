#include "storage/origin_heads.hpp"

namespace tidings::storage {

void origin_heads::add(uint8_t slot, uint64_t node) {
  std::unique_lock guard{mutex_};
  heads_[slot].node = node;
  size_ = static_cast<uint8_t>(slot + 1);
}

uint8_t origin_heads::size() const {
  std::shared_lock guard{mutex_};
  return size_;
}

std::optional<uint8_t> origin_heads::slot_of(uint64_t node) const {
  std::shared_lock guard{mutex_};
  for (uint8_t i = 0; i < size_; ++i)
    if (heads_[i].node == node)
      return i;
  return std::nullopt;
}

uint64_t origin_heads::node_of(uint8_t slot) const {
  std::shared_lock guard{mutex_};
  return slot < size_ ? heads_[slot].node : 0;
}

log_head origin_heads::head(uint8_t slot) const {
  std::shared_lock guard{mutex_};
  return heads_[slot];
}

void origin_heads::move(uint8_t slot, origin_position at, uint64_t chain) {
  std::unique_lock guard{mutex_};
  heads_[slot].at = at;
  heads_[slot].chain = chain;
}

std::vector<log_head> origin_heads::all() const {
  std::shared_lock guard{mutex_};
  std::vector<log_head> found;
  for (uint8_t i = 0; i < size_; ++i)
    if (heads_[i].at.sequence != 0)
      found.push_back(heads_[i]);
  return found;
}

origin_heads::end_of_log origin_heads::end() const {
  std::shared_lock guard{mutex_};
  end_of_log x{end_, {}};
  for (uint8_t i = 0; i < size_; ++i)
    if (heads_[i].at.sequence != 0)
      x.at.set(heads_[i].node, heads_[i].at);
  if (x.at.empty())
    x.at = cursor{heads_[0].node, {}};
  return x;
}

void origin_heads::move_all(const std::array<log_head, slots_max>& to, lsn end) {
  std::unique_lock guard{mutex_};
  for (uint8_t i = 0; i < size_; ++i) {
    heads_[i].at = to[i].at;
    heads_[i].chain = to[i].chain;
  }
  end_ = end;
}

void origin_heads::set_end(lsn x) {
  std::unique_lock guard{mutex_};
  end_ = x;
}

size_t origin_heads::others(uint8_t than, std::array<slot_position, slots_max>& out) const {
  std::shared_lock guard{mutex_};
  size_t n = 0;
  for (uint8_t i = 0; i < size_; ++i)
    if (i != than && heads_[i].at.sequence != 0)
      out[n++] = {i, heads_[i].at};
  return n;
}

} // namespace tidings::storage
