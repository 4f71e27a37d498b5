#pragma once

#include "http/exchange.hpp"

#include <memory>

namespace tidings::http {

/// The type of notifications that name none.
inline constexpr std::string_view default_notification = "SystemNotification";

/// `POST /notifications/send`: an item to one user or to everyone.
std::shared_ptr<exchange> make_send_notification();

// What the system had for trying it out.

/// `POST /generate_notification`: a form with `title` and `message` becomes an item of the caller.
std::shared_ptr<exchange> make_generate_notification();

/// `GET /ssetest`: a page that shows what it gets from `sse/SystemNotification`.
std::shared_ptr<exchange> make_notification_page();

} // namespace tidings::http
