#pragma once

#include "actors/messages.hpp"
#include "http/request.hpp"
#include "tidings/config.hpp"

#include <optional>
#include <string_view>

namespace tidings::http {

/// What a path `/users/{user}/mailbox/{action}` does.
enum class mailbox_action : uint8_t { seen, read, archive, dismiss, clear };

std::optional<mailbox_action> parse_mailbox_action(std::string_view name);

/// The query of `GET /users/{user}/mailbox`: `state`, `type`, `order`, `cursor`, `limit`. The user
/// is left to the caller. Fails with errc::invalid_parameter.
result<mailbox_query> parse_mailbox_query(const request& x, const mailbox_config& cfg);

/// The body of a change: `{"ids":[…]}`, or a filter `{"state":[…],"type":…}`, or nothing at all for
/// everything; to dismiss, one of the two has to be there. Fails with errc::invalid_json and
/// errc::invalid_parameter.
result<mailbox_order> parse_mailbox_order(mailbox_action what, const request& x,
                                          const limits_config& limits);

} // namespace tidings::http
