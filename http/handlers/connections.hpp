#pragma once

#include "http/exchange.hpp"

#include <memory>

namespace tidings::http {

/// `GET /connections`
std::shared_ptr<exchange> make_list_connections();

/// `DELETE /connections/{id}`
std::shared_ptr<exchange> make_close_connection();

} // namespace tidings::http
