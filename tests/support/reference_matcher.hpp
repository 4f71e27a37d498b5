#pragma once

#include <string>
#include <string_view>
#include <vector>

// A matcher of topics that cannot be wrong: cuts both sides into segments and compares.

namespace tidings {

/// Segments and separators in turn.
inline std::vector<std::string> cut(std::string_view x) {
  std::vector<std::string> parts{""};
  for (auto c : x) {
    if (c == ':' || c == '/' || c == '.') {
      parts.push_back(std::string(1, c));
      parts.push_back("");
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

inline bool reference_matches(std::string_view pattern, std::string_view topic) {
  if (topic.starts_with('$'))
    return pattern == topic;
  if (pattern == "*" || pattern == "**")
    return true;
  auto p = cut(pattern);
  auto t = cut(topic);
  for (size_t i = 0; i < p.size(); ++i) {
    if (i == t.size())
      return false;
    if (p[i] == "**") // the last one
      return i + 1 < t.size() || !t[i].empty();
    if (p[i] == "*" ? t[i].empty() : p[i] != t[i])
      return false;
  }
  return p.size() == t.size();
}

} // namespace tidings
