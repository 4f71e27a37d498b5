#pragma once

#include "http/exchange.hpp"

#include <memory>

namespace tidings::http {

/// The cluster as this node sees it; 404 on a node that is alone.
std::shared_ptr<exchange> make_cluster();

} // namespace tidings::http
