#pragma once

#include "actors/handles.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>

namespace tidings {

/// What has expired by now: see guarded_clock::read_now_ms.
using read_clock = std::function<int64_t()>;

/// Starts a reader on a thread of its own.
reader_actor spawn_reader(caf::actor_system& sys, std::shared_ptr<const event_store> store,
                          read_clock now_ms);

} // namespace tidings
