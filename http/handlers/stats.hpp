#pragma once

#include "http/exchange.hpp"

#include <memory>

namespace tidings::http {

/// `GET /stats`
std::shared_ptr<exchange> make_stats();

} // namespace tidings::http
