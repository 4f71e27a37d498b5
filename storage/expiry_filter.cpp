#include "storage/expiry_filter.hpp"

#include <string_view>
#include <utility>

namespace tidings::storage {

namespace {

std::string_view view(const rocksdb::Slice& x) {
  return {x.data(), x.size()};
}

/// Gives each compaction a filter with its own copy of the rules.
template <class Filter>
class filter_factory : public rocksdb::CompactionFilterFactory {
public:
  explicit filter_factory(std::shared_ptr<expiry_context> context) : context_(std::move(context)) {
    // nop
  }

  const char* Name() const override {
    return Filter::name;
  }

  std::unique_ptr<rocksdb::CompactionFilter>
  CreateCompactionFilter(const rocksdb::CompactionFilter::Context&) override {
    forgetting_rules rules{context_->clock.delete_now_ms(), context_->gap_memory_ms,
                           context_->floor.persisted(), context_->keep_read_ms};
    return std::make_unique<Filter>(rules, context_);
  }

private:
  std::shared_ptr<expiry_context> context_;
};

/// What is not understood is kept.
class filter_base : public rocksdb::CompactionFilter {
public:
  filter_base(const forgetting_rules& rules, std::shared_ptr<expiry_context> context)
    : rules_(rules), context_(std::move(context)) {
    // nop
  }

  Decision FilterV2(int, const rocksdb::Slice& key, ValueType type, const rocksdb::Slice& value,
                    std::string* new_value, std::string*) const final {
    return type == ValueType::kValue ? decide(view(key), view(value), *new_value) : Decision::kKeep;
  }

protected:
  virtual Decision decide(std::string_view key, std::string_view value,
                          std::string& new_value) const = 0;

  forgetting_rules rules_;
  std::shared_ptr<expiry_context> context_;
};

class log_filter : public filter_base {
public:
  static constexpr const char* name = "tidings.log.v1";

  using filter_base::filter_base;

  const char* Name() const override {
    return name;
  }

protected:
  Decision decide(std::string_view key, std::string_view value,
                  std::string& new_value) const override {
    auto position = parse_log_key(key);
    record_head head;
    if (!position || !decode_head(value, head))
      return Decision::kKeep;
    auto verdict = judge_log(rules_, *position, head);
    if (verdict == forgetting::remove)
      return begins_incarnation(value) ? Decision::kKeep : Decision::kRemove;
    if (verdict == forgetting::keep_due || verdict == forgetting::stub_due)
      context_->floor.want(*position);
    if (verdict != forgetting::stub && verdict != forgetting::stub_due)
      return Decision::kKeep;
    decoded_entry x;
    if (!decode_entry(value, x))
      return Decision::kKeep;
    encode_stub(new_value, entry_form::expired, head.expires_at_ms, x);
    return Decision::kChangeValue;
  }
};

class topic_filter : public filter_base {
public:
  static constexpr const char* name = "tidings.topic.v1";

  using filter_base::filter_base;

  const char* Name() const override {
    return name;
  }

protected:
  Decision decide(std::string_view key, std::string_view value, std::string&) const override {
    auto where = parse_topic_key(key);
    if (!where)
      return Decision::kKeep;
    auto verdict = forgetting::keep;
    if (where->position == lsn{}) {
      if (auto floor = parse_topic_floor(value))
        verdict = judge_topic_floor(rules_, *floor);
    } else if (auto x = parse_topic_entry(value)) {
      verdict = judge_topic(rules_, where->position, *x);
    }
    return verdict == forgetting::remove ? Decision::kRemove : Decision::kKeep;
  }
};

class key_filter : public filter_base {
public:
  static constexpr const char* name = "tidings.key.v1";

  using filter_base::filter_base;

  const char* Name() const override {
    return name;
  }

protected:
  Decision decide(std::string_view, std::string_view value, std::string&) const override {
    auto x = parse_idempotency(value);
    return x && judge_key(rules_, *x) == forgetting::remove ? Decision::kRemove : Decision::kKeep;
  }
};

class mailbox_filter : public filter_base {
public:
  static constexpr const char* name = "tidings.mailbox.v1";

  using filter_base::filter_base;

  const char* Name() const override {
    return name;
  }

protected:
  Decision decide(std::string_view, std::string_view value, std::string&) const override {
    auto x = parse_mailbox_entry(lsn{}, value);
    return x && judge_mailbox(rules_, *x) == forgetting::remove ? Decision::kRemove
                                                                : Decision::kKeep;
  }
};

} // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory>
make_log_filter(std::shared_ptr<expiry_context> context) {
  return std::make_shared<filter_factory<log_filter>>(std::move(context));
}

std::shared_ptr<rocksdb::CompactionFilterFactory>
make_topic_filter(std::shared_ptr<expiry_context> context) {
  return std::make_shared<filter_factory<topic_filter>>(std::move(context));
}

std::shared_ptr<rocksdb::CompactionFilterFactory>
make_key_filter(std::shared_ptr<expiry_context> context) {
  return std::make_shared<filter_factory<key_filter>>(std::move(context));
}

std::shared_ptr<rocksdb::CompactionFilterFactory>
make_mailbox_filter(std::shared_ptr<expiry_context> context) {
  return std::make_shared<filter_factory<mailbox_filter>>(std::move(context));
}

} // namespace tidings::storage
