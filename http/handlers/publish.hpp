#pragma once

#include "http/exchange.hpp"

#include <memory>

namespace tidings::http {

/// `POST /topics/{topic}`
std::shared_ptr<exchange> make_publish_to_topic();

/// `POST /users/{user}/mailbox`
std::shared_ptr<exchange> make_send_item();

/// `POST /events`: by media type one event, an array, CloudEvents, or streamed NDJSON.
std::shared_ptr<exchange> make_publish_events(const request& x);

} // namespace tidings::http
