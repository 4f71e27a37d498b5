#pragma once

#include "http/exchange.hpp"

#include <memory>

namespace tidings::http {

std::shared_ptr<exchange> make_front_page();
std::shared_ptr<exchange> make_healthz();
std::shared_ptr<exchange> make_readyz();
std::shared_ptr<exchange> make_metrics();
std::shared_ptr<exchange> make_list_topics();

} // namespace tidings::http
