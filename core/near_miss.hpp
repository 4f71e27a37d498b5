#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// `; did you mean X?` with the candidate that somebody who wrote `text` most likely meant, or
/// nothing if none is near. Upper case and underscores count as lower case and hyphens; the last
/// part of a dotted candidate also counts alone, so that a key is found in another section.
std::string did_you_mean(std::string_view text, const std::vector<std::string>& candidates);

} // namespace tidings
