#pragma once

#include "http/exchange.hpp"

#include <memory>

namespace tidings::http {

/// `POST /revocations`
std::shared_ptr<exchange> make_revoke();

/// `GET /revocations`
std::shared_ptr<exchange> make_list_revocations();

} // namespace tidings::http
