#pragma once

#include "actors/views/view.hpp"

namespace tidings {

/// What `/stats` shows of a node, without its version and age.
node_numbers read_numbers(const statistics& x, const store_statistics& store);

} // namespace tidings
