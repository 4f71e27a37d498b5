#pragma once

#include "actors/messages.hpp"

namespace tidings {

/// Lists the topics of a request in order of first mention, each with the items that name it.
std::vector<publish_request::hop> plan_route(const std::vector<publish_item>& items);

} // namespace tidings
