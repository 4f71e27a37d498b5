#include "near_miss.hpp"

#include <algorithm>
#include <numeric>

namespace tidings {

namespace {

constexpr size_t text_bytes_max = 100; // nobody mistypes so much; bounds the work

std::string normalised(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    c = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

std::string_view last_part(std::string_view key) {
  return key.substr(key.rfind('.') + 1);
}

/// No two texts are less far apart than this.
size_t difference_in_length(std::string_view a, std::string_view b) {
  return a.size() < b.size() ? b.size() - a.size() : a.size() - b.size();
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one text to the
/// other; if they are `enough` or more, any such number.
size_t edit_distance(std::string_view a, std::string_view b, size_t enough) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  size_t least_before = 0;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    auto least = *std::min_element(row.begin(), row.end());
    if (least >= enough && least_before + 1 >= enough) // a swap leads from two rows before
      return enough;
    least_before = least;
    before.swap(last);
    last.swap(row);
  }
  return last.back();
}

} // namespace

std::string did_you_mean(std::string_view text, const std::vector<std::string>& candidates) {
  if (text.size() > text_bytes_max)
    return {};
  auto wanted = normalised(text);
  auto nearest = std::clamp<size_t>(wanted.size() / 4, 1, 3) + 1;
  const std::string* found = nullptr;
  for (auto& candidate : candidates) {
    auto spelled = normalised(candidate);
    auto same_part = last_part(wanted) == last_part(spelled);
    if (!same_part && difference_in_length(wanted, spelled) >= nearest)
      continue;
    // The right name in a wrong section is as near as a slip of one letter.
    auto distance = same_part ? size_t{wanted != spelled} : edit_distance(wanted, spelled, nearest);
    if (distance < nearest) {
      nearest = distance;
      found = &candidate;
    }
  }
  return found ? "; did you mean " + *found + "?" : std::string{};
}

} // namespace tidings
