#pragma once

#include "actors/connection/stream.hpp"
#include "actors/handles.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace tidings {

/// Starts the actor that owns one stream, on its shard's thread.
/// @param home outlives the actor
connection_actor spawn_connection(caf::actor_system& sys, caf::execution_unit* unit, shard& home,
                                  reader_actor reader, uint64_t id, stream_request what,
                                  std::shared_ptr<byte_sink> sink);

} // namespace tidings
