#pragma once

#include "http/exchange.hpp"

#include <functional>
#include <memory>

namespace tidings::http {

/// Answers with a problem document. Takes the request's body first, if it is short: the connection
/// can go on then.
std::shared_ptr<exchange> make_refusal(failure why);

/// Answers with 405 and the methods that there are.
std::shared_ptr<exchange> make_method_refusal(std::string allowed);

/// Answers at once with what a function makes of the request.
std::shared_ptr<exchange> make_answer(std::function<response(session&, const request&)> make);

} // namespace tidings::http
