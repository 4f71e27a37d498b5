#include "http/accept.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tidings::http {

namespace {

std::string_view trimmed(std::string_view x) noexcept {
  auto begin = x.find_first_not_of(" \t");
  if (begin == std::string_view::npos)
    return {};
  return x.substr(begin, x.find_last_not_of(" \t") - begin + 1);
}

std::string to_lower(std::string_view x) {
  std::string y{x};
  std::transform(y.begin(), y.end(), y.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return y;
}

bool is_token(std::string_view x) noexcept {
  return !x.empty() && std::all_of(x.begin(), x.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c != 0 && std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos);
  });
}

/// `type/subtype`, each a token.
bool is_essence(std::string_view x) noexcept {
  auto slash = x.find('/');
  return slash != std::string_view::npos && is_token(x.substr(0, slash))
         && is_token(x.substr(slash + 1));
}

/// Cuts the text up to `separator` off, without looking into quoted strings.
std::string_view cut(std::string_view& rest, char separator) noexcept {
  auto quoted = false;
  for (size_t i = 0; i < rest.size(); ++i) {
    if (quoted && rest[i] == '\\')
      ++i;
    else if (rest[i] == '"')
      quoted = !quoted;
    else if (!quoted && rest[i] == separator) {
      auto piece = rest.substr(0, i);
      rest.remove_prefix(i + 1);
      return trimmed(piece);
    }
  }
  return trimmed(std::exchange(rest, {}));
}

/// `0` to `1` with up to three digits, in thousandths; -1: something else.
int parse_quality(std::string_view x) noexcept {
  if (x.empty() || x.size() > 5 || (x[0] != '0' && x[0] != '1') || (x.size() > 1 && x[1] != '.'))
    return -1;
  auto q = (x[0] - '0') * 1000;
  auto unit = 100;
  for (auto c : x.substr(std::min<size_t>(2, x.size()))) {
    if (c < '0' || c > '9')
      return -1;
    q += (c - '0') * unit;
    unit /= 10;
  }
  return q <= 1000 ? q : -1;
}

constexpr std::array<std::string_view, 3> offered{"text/event-stream", "application/json",
                                                  "application/x-ndjson"};

/// How exactly a range names a type: 3 as it is, 2 `type/*`, 1 `*/*`, 0 not at all.
int match(std::string_view range, std::string_view type) noexcept {
  if (range == type)
    return 3;
  if (range == "*/*")
    return 1;
  auto slash = range.find('/');
  return range.substr(slash) == "/*" && type.substr(0, slash + 1) == range.substr(0, slash + 1) ? 2
                                                                                                : 0;
}

} // namespace

std::optional<representation> negotiate(std::string_view accept) {
  if (trimmed(accept).empty())
    return representation::event_stream;
  std::array<int, offered.size()> exactness{};
  std::array<int, offered.size()> quality{};
  while (!accept.empty()) {
    auto member = cut(accept, ',');
    auto range = to_lower(cut(member, ';'));
    if (!is_essence(range))
      continue;
    auto q = 1000;
    while (!member.empty()) {
      auto parameter = cut(member, ';');
      if (parameter.size() > 2 && (parameter[0] | 0x20) == 'q' && parameter[1] == '=')
        q = parse_quality(parameter.substr(2));
    }
    if (q < 0)
      continue;
    for (size_t i = 0; i < offered.size(); ++i) {
      auto e = match(range, offered[i]);
      if (e > exactness[i] || (e != 0 && e == exactness[i] && q > quality[i])) {
        exactness[i] = e;
        quality[i] = q;
      }
    }
  }
  auto best = std::max_element(quality.begin(), quality.end());
  if (*best == 0)
    return std::nullopt;
  return static_cast<representation>(best - quality.begin());
}

bool media_type::is_json() const noexcept {
  return essence == "application/json" || essence == "text/json" || essence.ends_with("+json");
}

bool media_type::is_utf8() const noexcept {
  return charset.empty() || charset == "utf-8" || charset == "utf8" || charset == "us-ascii";
}

std::optional<media_type> parse_media_type(std::string_view text) {
  media_type x;
  if (trimmed(text).empty())
    return x;
  x.essence = to_lower(cut(text, ';'));
  if (!is_essence(x.essence))
    return std::nullopt;
  while (!text.empty()) {
    auto parameter = cut(text, ';');
    if (parameter.empty())
      continue;
    auto equals = parameter.find('=');
    if (equals == std::string_view::npos || !is_token(parameter.substr(0, equals)))
      return std::nullopt;
    if (to_lower(parameter.substr(0, equals)) != "charset")
      continue;
    auto value = parameter.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    auto charset = to_lower(value);
    if (!is_token(charset) || (!x.charset.empty() && x.charset != charset))
      return std::nullopt;
    x.charset = std::move(charset);
  }
  return x;
}

} // namespace tidings::http
