#pragma once

#include <cstddef>

namespace tidings {

/// Topics that one stored record may have: it keeps one bit of 32 for each. See
/// docs/storage-format.md.
inline constexpr size_t record_topics_max = 32;

} // namespace tidings
