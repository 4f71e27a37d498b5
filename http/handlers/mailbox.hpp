#pragma once

#include "http/exchange.hpp"

#include <memory>
#include <string_view>

namespace tidings::http {

/// `GET /users/{user}/mailbox`
std::shared_ptr<exchange> make_read_mailbox();

/// `POST /users/{user}/mailbox/{action}`: seen, read, archive, dismiss or clear. nullptr: there is
/// no such action.
std::shared_ptr<exchange> make_change_mailbox(std::string_view action);

} // namespace tidings::http
