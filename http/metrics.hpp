#pragma once

#include "tidings/event_store.hpp"
#include "tidings/statistics.hpp"

#include <string>

namespace tidings::http {

/// The Prometheus text exposition of everything that is counted.
std::string render_metrics(const statistics& stats, const store_statistics& store,
                           const std::string& version);

} // namespace tidings::http
