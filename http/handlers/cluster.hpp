#pragma once

#include "http/exchange.hpp"

#include <memory>

namespace tidings::http {

/// The cluster as this node sees it; 404 on a node that is alone.
std::shared_ptr<exchange> make_cluster();

/// Adds a member to the list: `{"name":"d","address":"10.0.0.4:7400"}`.
std::shared_ptr<exchange> make_add_member();

/// Removes the member that the path names.
std::shared_ptr<exchange> make_remove_member();

/// Brings the node that is asked to rest; answers when the others have everything.
std::shared_ptr<exchange> make_drain();

/// Takes that back.
std::shared_ptr<exchange> make_undrain();

} // namespace tidings::http
