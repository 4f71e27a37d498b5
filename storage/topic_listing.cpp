#include "storage/topic_listing.hpp"

#include "storage/keys.hpp"
#include "storage/rocksdb_failure.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace tidings::storage {

namespace {

/// What one call may look at beyond a first glance at each topic.
constexpr uint64_t entries_per_call = 2 * topic_entries_counted_max;
constexpr uint64_t entries_at_least = 1'000;

class listing {
public:
  listing(const database& db, int64_t now_ms, lsn last)
    : at_(db.raw().NewIterator({}, db.at(family::topic))), now_ms_(now_ms), last_(last) {
    // nop
  }

  result<std::vector<topic_summary>> run(std::string_view after, std::string_view prefix,
                                         size_t limit) {
    std::vector<topic_summary> found;
    if (after < prefix)
      at_->Seek(slice(prefix));
    else
      skip(after); // also what concerns everyone, which is no topic
    while (at_->Valid() && found.size() < limit) {
      auto key = parse_topic_key(view(at_->key()));
      if (!key)
        return failure{errc::storage_corrupt, "a key of the topic index cannot be read"};
      if (key->topic.substr(0, prefix.size()) != prefix)
        break;
      topic_summary x;
      x.topic = key->topic;
      if (!count(x))
        return failure{errc::storage_corrupt, "an entry of the topic index cannot be read"};
      if (x.events != 0)
        found.push_back(std::move(x));
    }
    if (!at_->status().ok())
      return to_failure("cannot read the topic index", at_->status());
    return found;
  }

private:
  /// Moves to the topic behind this one.
  void skip(std::string_view topic) {
    key_.assign(topic);
    key_.push_back('\x01'); // behind the separator, before everything that a topic may hold
    at_->Seek(key_);
  }

  bool count(topic_summary& x) {
    auto bound = std::min(topic_entries_counted_max, std::max(budget_, entries_at_least));
    uint64_t looked_at = 0;
    for (; at_->Valid(); at_->Next(), ++looked_at) {
      auto key = parse_topic_key(view(at_->key()));
      if (!key)
        return false;
      if (key->topic != x.topic)
        break;
      if (looked_at == bound) {
        x.truncated = true;
        break;
      }
      if (key->position == lsn{} || key->position > last_)
        continue;
      auto entry = parse_topic_entry(view(at_->value()));
      if (!entry)
        return false;
      if (entry->released)
        continue;
      if (entry->expires_at_ms != 0 && entry->expires_at_ms <= now_ms_)
        continue;
      ++x.events;
      x.bytes += entry->bytes;
      x.last = key->position;
    }
    budget_ -= std::min(budget_, looked_at);
    if (x.truncated)
      find_last(x);
    return true;
  }

  /// Leaves the iterator behind the topic.
  void find_last(topic_summary& x) {
    encode_topic_key(key_, x.topic, last_);
    at_->SeekForPrev(key_);
    if (at_->Valid())
      if (auto key = parse_topic_key(view(at_->key())); key && key->topic == x.topic)
        x.last = std::max(x.last, key->position);
    skip(x.topic);
  }

  std::unique_ptr<rocksdb::Iterator> at_;
  int64_t now_ms_;
  lsn last_;
  uint64_t budget_ = entries_per_call;
  std::string key_;
};

} // namespace

result<std::vector<topic_summary>> list_topics(const database& db, std::string_view after,
                                               std::string_view prefix, size_t limit,
                                               int64_t now_ms, lsn last) {
  return listing{db, now_ms, last}.run(after, prefix, limit);
}

} // namespace tidings::storage
