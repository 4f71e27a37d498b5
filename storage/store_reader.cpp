#include "storage/store_reader.hpp"

#include "storage/entry_presenter.hpp"
#include "storage/keys.hpp"
#include "storage/rocksdb_failure.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace tidings::storage {

namespace {

failure unreadable(lsn x) {
  return {errc::storage_corrupt,
          "the log entry at position " + std::to_string(to_integer(x)) + " cannot be read"};
}

/// Positions `(after, until]` of the log, in either direction.
class log_walk {
public:
  log_walk(const database& db, lsn after, lsn until, bool reverse)
    : first_(next(after)),
      end_(next(until)),
      lower_(slice(first_.view())),
      upper_(slice(end_.view())),
      reverse_(reverse) {
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = &lower_;
    options.iterate_upper_bound = &upper_;
    at_.reset(db.raw().NewIterator(options, db.at(family::log)));
    if (reverse_)
      at_->SeekToLast();
    else
      at_->SeekToFirst();
  }

  bool valid() const {
    return at_->Valid();
  }

  void advance() {
    if (reverse_)
      at_->Prev();
    else
      at_->Next();
  }

  /// 0 for a key that is none of ours.
  lsn position() const {
    return parse_log_key(view(at_->key())).value_or(lsn{});
  }

  std::string_view value() const {
    return view(at_->value());
  }

  rocksdb::Status status() const {
    return at_->status();
  }

private:
  log_key first_;
  log_key end_;
  rocksdb::Slice lower_;
  rocksdb::Slice upper_;
  bool reverse_;
  std::unique_ptr<rocksdb::Iterator> at_;
};

} // namespace

result<read_outcome> store_reader::read(const read_request& what, record_visitor& to,
                                        lsn last) const {
  auto bounded = what;
  bounded.until = std::min(what.until, last);
  if (bounded.until <= what.after)
    return read_outcome{what.reverse ? next(what.after) : what.after, true};
  return scan(bounded, to);
}

result<read_outcome> store_reader::scan(const read_request& what, record_visitor& to) const {
  entry_presenter presenter{what, forgotten_.persisted(), to};
  log_walk walk{db_, what.after, what.until, what.reverse};
  auto covered = what.reverse ? next(what.until) : what.after;
  for (size_t looked_at = 0; walk.valid(); walk.advance(), ++looked_at) {
    if (looked_at == what.scan_max)
      return read_outcome{covered, false};
    auto position = walk.position();
    auto seen = presenter.show(position, walk.value());
    if (seen == entry_presenter::outcome::corrupt)
      return unreadable(position);
    if (seen == entry_presenter::outcome::stop)
      return read_outcome{covered, false};
    covered = position;
  }
  if (auto x = walk.status(); !x.ok())
    return to_failure("cannot read the log", x);
  return read_outcome{what.reverse ? next(what.after) : what.until, true};
}

result<lsn> store_reader::before_time(int64_t unix_ms, lsn last) const {
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::log))};
  auto before = lsn{};    // known to be older, or nothing
  auto candidates = last; // nothing above is older
  while (before < candidates) {
    auto distance = to_integer(candidates) - to_integer(before);
    auto middle = lsn{to_integer(before) + (distance + 1) / 2};
    log_key key{middle};
    at->Seek(slice(key.view()));
    if (!at->Valid()) {
      if (!at->status().ok())
        return to_failure("cannot read the log", at->status());
      candidates = lsn{to_integer(middle) - 1}; // the newest entries are never forgotten
      continue;
    }
    auto position = parse_log_key(view(at->key())).value_or(lsn{});
    record_head head;
    if (!decode_head(view(at->value()), head))
      return unreadable(position);
    if (position <= candidates && head.time_ms < unix_ms)
      before = position;
    else
      candidates = lsn{to_integer(middle) - 1};
  }
  return before;
}

lsn store_reader::first(lsn last) const {
  std::unique_ptr<rocksdb::Iterator> at{db_.raw().NewIterator({}, db_.at(family::log))};
  at->SeekToFirst();
  if (at->Valid())
    return parse_log_key(view(at->key())).value_or(next(last));
  return next(last);
}

} // namespace tidings::storage
