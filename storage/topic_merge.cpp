#include "storage/topic_merge.hpp"

#include "storage/keys.hpp"
#include "storage/rocksdb_failure.hpp"

#include <algorithm>

namespace tidings::storage {

namespace {

constexpr size_t ahead_min = 8; // doubles with each piece
constexpr size_t ahead_max = 256;

} // namespace

topic_merge::topic_merge(const database& db, const std::vector<std::string>& topics, lsn after,
                         lsn until, bool reverse)
  : at_(db.raw().NewIterator(passing_by(after, until), db.at(family::topic))), until_(until), reverse_(reverse) {
  sources_.reserve(topics.size() + 1);
  heap_.reserve(topics.size() + 1);
  sources_.push_back({everyone, after});
  for (auto& topic : topics)
    sources_.push_back({topic, after});
  for (auto& x : sources_) {
    begin(x);
    if (!can_answer_)
      return;
    if (fill(x))
      push(x);
  }
}

void topic_merge::begin(source& x) {
  encode_topic_key(key_, x.topic, lsn{});
  at_->Seek(key_);
  if (at_->Valid() && view(at_->key()) == key_) {
    auto floor = parse_topic_floor(view(at_->value()));
    if (!floor)
      corrupt_ = true;
    else if (*floor > until_)
      can_answer_ = false;
    else if (*floor > x.after)
      x.after = x.floor = *floor;
  }
  x.resume = reverse_ ? until_ : next(x.after);
  x.ahead.reserve(ahead_min);
  if (!reverse_ && x.floor != lsn{})
    x.ahead.push_back(x.floor);
}

bool topic_merge::fill(source& x) {
  auto limit = std::clamp(x.ahead.capacity(), ahead_min, ahead_max);
  if (x.at == x.ahead.size()) {
    if (x.at != 0) // the first piece is small: many readers stop within it
      limit = std::min(2 * limit, ahead_max);
    x.ahead.clear();
    x.at = 0;
  }
  if (x.resume != lsn{} && x.ahead.empty()) {
    x.ahead.reserve(limit);
    encode_topic_key(key_, x.topic, x.resume);
    if (reverse_)
      at_->SeekForPrev(key_);
    else
      at_->Seek(key_);
    x.resume = lsn{};
    while (at_->Valid()) {
      auto where = parse_topic_key(view(at_->key()));
      if (!where) {
        corrupt_ = true;
        break;
      }
      if (where->topic != x.topic || where->position > until_ || where->position <= x.after)
        break;
      if (x.ahead.size() == limit) {
        x.resume = where->position;
        break;
      }
      x.ahead.push_back(where->position);
      if (reverse_)
        at_->Prev();
      else
        at_->Next();
    }
  }
  if (reverse_ && x.ahead.empty() && x.floor != lsn{}) {
    x.ahead.push_back(x.floor);
    x.floor = lsn{};
  }
  return !x.ahead.empty();
}

void topic_merge::push(source& x) {
  heap_.push_back(&x);
  std::push_heap(heap_.begin(), heap_.end(), [this](source* a, source* b) {
    return reverse_ ? a->next() < b->next() : a->next() > b->next();
  });
}

void topic_merge::advance() {
  auto shown = position();
  while (!heap_.empty() && position() == shown) {
    std::pop_heap(heap_.begin(), heap_.end(), [this](source* a, source* b) {
      return reverse_ ? a->next() < b->next() : a->next() > b->next();
    });
    auto& x = *heap_.back();
    heap_.pop_back();
    if (++x.at < x.ahead.size() || fill(x))
      push(x);
  }
}

status topic_merge::failed() const {
  if (corrupt_)
    return failure{errc::storage_corrupt, "an entry of the topic index cannot be read"};
  if (!at_->status().ok())
    return to_failure("cannot read the topic index", at_->status());
  return std::nullopt;
}

} // namespace tidings::storage
