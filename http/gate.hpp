#pragma once

#include "actors/messages.hpp"
#include "http/request.hpp"
#include "identity/authenticator.hpp"

#include <string_view>

namespace tidings::http {

/// Query parameters that say who makes a request. They are taken out of the request before anybody
/// else sees it.
inline constexpr std::string_view token_parameter = "access_token";
inline constexpr std::string_view user_parameter = "user";

/// Whether a request is answered without asking who makes it: health checks, and the questions of
/// browsers.
bool is_for_anybody(const request& x);

/// Finds out who makes a request, and takes what said so out of its query. Fails with
/// errc::unauthorized and errc::invalid_parameter.
/// @param address IP address of the other end
result<caller_ptr> identify(const authenticator& by, request& x, std::string_view address,
                            int64_t now_ms);

/// Whether a request that changes something may have been made by a page without the user's will:
/// one that comes with a cookie must say that it comes from an allowed page.
/// @param allowed `server.cors-origins`
bool is_unwilled(const request& x, const std::vector<std::string>& allowed);

/// The user in a path `/users/{user}/…`; `me` is the caller. Fails with errc::unauthorized,
/// errc::invalid_parameter and errc::not_found.
result<std::string> user_of_path(const request& x);

/// Whether the caller is a user, rather than nobody or a program.
bool is_user(const caller_ptr& who);

/// Whether the caller may read and change a user's mailbox.
bool may_open(const caller_ptr& who, std::string_view user);

/// Fails with errc::forbidden, or errc::unauthorized if nobody signed in.
status check_publish(const caller_ptr& who, const event& x);

/// Whoever was let in a while ago may have lost that since: fails with errc::unauthorized.
status check_still_good(const authenticator& by, const caller_ptr& who, int64_t now_ms);

/// The same for what operators do.
status check_admin(const caller_ptr& who);

/// What to answer to somebody who lacks a right.
failure lacking(const caller_ptr& who, std::string detail);

} // namespace tidings::http
