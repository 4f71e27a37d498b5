#pragma once

#include "http/exchange.hpp"

#include <memory>

namespace tidings::http {

/// `GET /events` and `GET /topics/{topic}`: by `Accept` a stream, a page, or a long poll.
std::shared_ptr<exchange> make_subscribe();

} // namespace tidings::http
