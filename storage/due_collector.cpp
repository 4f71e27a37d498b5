#include "storage/due_collector.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace tidings::storage {

namespace {

constexpr const char* first_name = "tidings.due.first";
constexpr const char* eighth_name = "tidings.due.eighth";

class collector : public rocksdb::TablePropertiesCollector {
public:
  explicit collector(due_function due) : due_(std::move(due)) {
    // nop
  }

  const char* Name() const override {
    return "tidings.due";
  }

  rocksdb::Status AddUserKey(const rocksdb::Slice& key, const rocksdb::Slice& value,
                             rocksdb::EntryType type, rocksdb::SequenceNumber, uint64_t) override {
    if (type == rocksdb::kEntryPut)
      sampler_.add(due_({key.data(), key.size()}, {value.data(), value.size()}));
    return rocksdb::Status::OK();
  }

  rocksdb::Status Finish(rocksdb::UserCollectedProperties* out) override {
    auto due = sampler_.finish();
    out->emplace(first_name, std::to_string(due.first_ms));
    out->emplace(eighth_name, std::to_string(due.eighth_ms));
    return rocksdb::Status::OK();
  }

  rocksdb::UserCollectedProperties GetReadableProperties() const override {
    return {};
  }

private:
  due_function due_;
  due_sampler sampler_;
};

class collector_factory : public rocksdb::TablePropertiesCollectorFactory {
public:
  explicit collector_factory(due_function due) : due_(std::move(due)) {
    // nop
  }

  const char* Name() const override {
    return "tidings.due";
  }

  rocksdb::TablePropertiesCollector*
  CreateTablePropertiesCollector(rocksdb::TablePropertiesCollectorFactory::Context) override {
    return new collector{due_};
  }

private:
  due_function due_;
};

int64_t read_time(const rocksdb::TableProperties& x, const char* name) {
  auto i = x.user_collected_properties.find(name);
  auto time = never_due;
  if (i != x.user_collected_properties.end())
    std::from_chars(i->second.data(), i->second.data() + i->second.size(), time);
  return time;
}

} // namespace

void due_sampler::add(int64_t due_ms) {
  first_ms_ = std::min(first_ms_, due_ms);
  if (seen_++ % stride_ != 0)
    return;
  if (samples_.size() == samples_max) {
    // Half of them is enough for twice as many entries.
    for (size_t i = 0; 2 * i < samples_max; ++i)
      samples_[i] = samples_[2 * i];
    samples_.resize(samples_max / 2);
    stride_ *= 2;
    if ((seen_ - 1) % stride_ != 0)
      return;
  }
  samples_.push_back(due_ms);
}

due_times due_sampler::finish() {
  due_times x{first_ms_, never_due};
  if (samples_.empty())
    return x;
  auto eighth = samples_.begin() + static_cast<std::ptrdiff_t>(samples_.size() / 8);
  std::nth_element(samples_.begin(), eighth, samples_.end());
  x.eighth_ms = *eighth;
  return x;
}

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> make_due_collector(due_function due) {
  return std::make_shared<collector_factory>(std::move(due));
}

due_times read_due_times(const rocksdb::TableProperties& x) {
  return {read_time(x, first_name), read_time(x, eighth_name)};
}

due_function log_due(int64_t gap_memory_ms) {
  return [gap_memory_ms](std::string_view, std::string_view value) {
    record_head x;
    if (!decode_head(value, x) || (x.form != entry_form::record && begins_incarnation(value)))
      return never_due;
    return log_due_ms(x, gap_memory_ms);
  };
}

due_function topic_due(int64_t gap_memory_ms) {
  return [gap_memory_ms](std::string_view key, std::string_view value) {
    auto where = parse_topic_key(key);
    auto x = parse_topic_entry(value);
    return where && x && where->position != lsn{} ? topic_due_ms(*x, gap_memory_ms) : never_due;
  };
}

due_function key_due() {
  return [](std::string_view, std::string_view value) {
    auto x = parse_idempotency(value);
    return x ? key_due_ms(*x) : never_due;
  };
}

due_function mailbox_due(int64_t keep_read_ms) {
  return [keep_read_ms](std::string_view, std::string_view value) {
    auto x = parse_mailbox_entry(lsn{}, value);
    return x ? mailbox_due_ms(*x, keep_read_ms) : never_due;
  };
}

} // namespace tidings::storage
