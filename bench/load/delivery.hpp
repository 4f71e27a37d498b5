#pragma once

#include "options.hpp"
#include "publisher_set.hpp"
#include "stream_set.hpp"

namespace bench {

/// A subscription may begin to hold a little after its first bytes: publishes until one round
/// reached everybody. From then on every number counts.
void prime(reactor& loop, publisher_set& publishers, uint64_t connections, stream_set& streams);

/// Publishes and waits until everybody has everything, or nothing comes any more.
/// @returns whether everybody has everything
bool deliver(reactor& loop, publisher_set& publishers, stream_set& streams, uint64_t count,
             double rate);

/// From `--publishers` (default: `connections`), `--topic`, `--ack` and `--data-bytes`.
publisher_plan publishers_from(options& opts, uint64_t connections);

} // namespace bench
