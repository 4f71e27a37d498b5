#include "storage/mailbox_index.hpp"

#include "storage/forgetting.hpp"
#include "storage/keys.hpp"
#include "storage/rocksdb_failure.hpp"

#include <rocksdb/snapshot.h>

#include <algorithm>
#include <memory>
#include <string>

namespace tidings::storage {

namespace {

failure unreadable() {
  return {errc::storage_corrupt, "an entry of the mailbox index cannot be read"};
}

/// The entries under one user, newest first.
class mailbox_walk {
public:
  mailbox_walk(const database& db, const rocksdb::Snapshot* moment, std::string_view user,
               lsn last) {
    encode_mailbox_key(first_, user, lsn{});
    encode_mailbox_key(end_, user, next(last));
    lower_ = first_;
    upper_ = end_;
    rocksdb::ReadOptions options;
    options.snapshot = moment;
    options.iterate_lower_bound = &lower_;
    options.iterate_upper_bound = &upper_;
    at_.reset(db.raw().NewIterator(options, db.at(family::mailbox)));
    at_->SeekToLast();
    look();
  }

  mailbox_walk(const mailbox_walk&) = delete;
  mailbox_walk& operator=(const mailbox_walk&) = delete;

  bool valid() const {
    return at_->Valid();
  }

  /// 0 for a key that is none of ours.
  lsn item() const noexcept {
    return item_;
  }

  std::optional<mailbox_entry> entry() const {
    return item_ == lsn{} ? std::nullopt : parse_mailbox_entry(item_, view(at_->value()));
  }

  void advance() {
    at_->Prev();
    look();
  }

  rocksdb::Status status() const {
    return at_->status();
  }

private:
  void look() {
    auto key = at_->Valid() ? parse_mailbox_key(view(at_->key())) : std::nullopt;
    item_ = key ? key->item : lsn{};
  }

  std::string first_;
  std::string end_;
  rocksdb::Slice lower_;
  rocksdb::Slice upper_;
  std::unique_ptr<rocksdb::Iterator> at_;
  lsn item_{};
};

} // namespace

result<std::vector<mailbox_entry>> mailbox_index::list(std::string_view user, size_t limit,
                                                       int64_t now_ms, lsn last) const {
  rocksdb::ManagedSnapshot moment{&db_.raw()};
  mailbox_walk own{db_, moment.snapshot(), user, last};
  mailbox_walk shared{db_, moment.snapshot(), all_users, last};
  std::vector<mailbox_entry> found;
  while (found.size() < limit && (own.valid() || shared.valid())) {
    auto is_own = own.valid() && (!shared.valid() || own.item() >= shared.item());
    auto is_shared = shared.valid() && (!own.valid() || shared.item() >= own.item());
    auto entry = (is_own ? own : shared).entry();
    if (!entry)
      return unreadable();
    // What a user did with an item that retention has taken from everyone is left behind alone.
    auto is_left_behind = entry->shared && !is_shared;
    if (!is_left_behind && is_listed(*entry, now_ms, keep_read_ms_))
      found.push_back(std::move(*entry));
    if (is_own)
      own.advance();
    if (is_shared)
      shared.advance();
  }
  for (auto* walk : {&own, &shared})
    if (auto x = walk->status(); !x.ok())
      return to_failure("cannot read the mailbox index", x);
  std::reverse(found.begin(), found.end());
  return found;
}

result<bool> mailbox_index::is_done(std::string_view user, lsn item, bool shared, int64_t now_ms,
                                    const rocksdb::Snapshot* moment) const {
  std::string key;
  encode_mailbox_key(key, user, item);
  rocksdb::ReadOptions options;
  options.snapshot = moment;
  rocksdb::PinnableSlice value;
  auto x = db_.raw().Get(options, db_.at(family::mailbox), key, &value);
  if (x.IsNotFound())
    return !shared;
  if (!x.ok())
    return to_failure("cannot read the mailbox index", x);
  auto entry = parse_mailbox_entry(item, view(value));
  if (!entry)
    return unreadable();
  return !is_listed(*entry, now_ms, keep_read_ms_);
}

} // namespace tidings::storage
