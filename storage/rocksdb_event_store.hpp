#pragma once

#include "tidings/clock.hpp"
#include "tidings/config.hpp"
#include "tidings/event_store.hpp"

#include <memory>

namespace tidings::storage {

struct schema;

/// The log in a directory of its own. docs/storage-format.md says what is in there.
class rocksdb_event_store : public event_store {
public:
  /// Takes the directory for this process and checks what it finds before it accepts anything.
  /// @param mailboxes of it only `keep_read` matters here
  /// @param clock must outlive the store
  static result<std::unique_ptr<rocksdb_event_store>>
  open(const storage_config& settings, const mailbox_config& mailboxes, const clock_source& clock);

  /// For tests of upgrades.
  static result<std::unique_ptr<rocksdb_event_store>> open(const storage_config& settings,
                                                           const mailbox_config& mailboxes,
                                                           const clock_source& clock,
                                                           const schema& known);

  ~rocksdb_event_store() override;

  /// The clock that decides about expiry; an operator may confirm it.
  guarded_clock& clock() noexcept;

  /// One round of what else happens in the background: lets go what is long gone, compacts what has
  /// mostly expired.
  /// @param everything whether to compact all there is
  status maintain(bool everything = false);

  const node_id& node() const override;
  uint64_t incarnation() const override;
  bool is_member() const override;
  result<std::vector<log_entry>> admit(uint64_t node, std::span<const std::string> bodies) override;
  void dismiss_admitted() override;
  result<std::vector<record>> reoriginate(uint64_t node, origin_position after,
                                          origin_position up_to) override;
  result<std::vector<record>> append_set_aside() override;
  status append_forgotten(const log_head& x) override;
  status append(std::span<log_entry> entries, bool sync) override;
  status sync() override;
  result<std::optional<key_entry>> find_key(std::string_view key, int64_t now_ms) override;
  status check_space(bool for_upkeep) override;
  lsn last() const override;
  result<read_outcome> read(const read_request& what, record_visitor& to) const override;
  result<resolved_cursor> resolve(const cursor& x, const subscription& who) const override;
  cursor cursor_at(lsn x) const override;
  std::optional<event_id> id_at(lsn x) const override;
  std::optional<lsn> find(const event_id& x) const override;
  std::vector<log_head> heads() const override;
  result<origin_chunk> read_origin(uint64_t node, origin_position after, origin_position up_to,
                                   size_t bytes_max) const override;
  result<lsn> before_time(int64_t unix_ms) const override;
  result<std::vector<topic_summary>> topics(std::string_view after, std::string_view prefix,
                                            size_t limit, int64_t now_ms) const override;
  result<std::vector<mailbox_entry>> mailbox(std::string_view user, size_t limit,
                                             int64_t now_ms) const override;
  status read_records(std::span<const lsn> positions, int64_t now_ms,
                      record_visitor& to) const override;
  store_statistics statistics() const override;

private:
  struct impl;

  explicit rocksdb_event_store(std::unique_ptr<impl> x);

  std::unique_ptr<impl> impl_;
};

} // namespace tidings::storage
