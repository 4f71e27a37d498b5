#pragma once

#include "storage/database.hpp"
#include "storage/directory_lock.hpp"
#include "storage/identity_file.hpp"
#include "storage/log_writer.hpp"
#include "storage/origin_heads.hpp"
#include "storage/origin_index.hpp"
#include "storage/schema.hpp"
#include "storage/space_guard.hpp"
#include "storage/watermark_file.hpp"

#include <memory>

namespace tidings::storage {

/// Everything that a start has found and made, in the order in which it must live.
struct opened_store {
  directory_lock lock;
  identity who;
  uint64_t incarnation = 0; ///< on disk
  std::unique_ptr<guarded_clock> clock;
  std::unique_ptr<space_guard> space;
  std::shared_ptr<expiry_context> expiry;
  std::unique_ptr<database> db;
  std::unique_ptr<origin_heads> heads;
  std::unique_ptr<origin_index> index;
  log_end end;

  /// Records were lost, and an operator chose to go on without them.
  bool salvaged = false;
};

/// Start-up: lock, free space, identity, schema, evidence put aside, database, migrations, end of
/// the log against the witness, new incarnation. Nothing is changed before it is known that the
/// store is ours and of a schema that we know.
result<opened_store> open_store(const storage_config& settings, const mailbox_config& mailboxes,
                                const clock_source& clock, const schema& known);

} // namespace tidings::storage
