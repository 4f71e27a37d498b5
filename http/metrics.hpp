#pragma once

#include "actors/cluster/cluster_board.hpp"
#include "tidings/event_store.hpp"
#include "tidings/statistics.hpp"

#include <string>

namespace tidings::http {

/// The Prometheus text exposition of everything that is counted.
/// @param cluster nullptr: the node is alone
std::string render_metrics(const statistics& stats, const store_statistics& store,
                           const cluster_board* cluster, const std::string& version);

} // namespace tidings::http
