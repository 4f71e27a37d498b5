#include "http/target.hpp"

#include "tidings/text.hpp"

#include <algorithm>

namespace tidings::http {

namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = text[i];
    if (c == '%') {
      if (text.size() - i < 3)
        return std::nullopt;
      auto high = hex_value(text[i + 1]);
      auto low = hex_value(text[i + 2]);
      if (high < 0 || low < 0)
        return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      out += ' ';
    } else {
      out += c;
    }
  }
  if (!is_utf8(out) || !is_single_line(out))
    return std::nullopt;
  return out;
}

/// What may be shown of a parameter name in an error.
std::string in_quotes(std::string_view name) {
  return "'" + for_log(name) + "'";
}

} // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  return decode(text, false);
}

// -- query ---------------------------------------------------------------------------------------

result<query_parameters> query_parameters::parse(std::string_view query) {
  query_parameters xs;
  while (!query.empty()) {
    auto end = std::min(query.find('&'), query.size());
    auto piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (piece.empty())
      continue;
    if (xs.content_.size() == parameters_max)
      return failure{errc::invalid_parameter, "the query has too many parameters"};
    auto equals = std::min(piece.find('='), piece.size());
    auto name = decode(piece.substr(0, equals), true);
    if (!name || name->empty())
      return failure{errc::invalid_parameter, "the name of a query parameter is not valid"};
    auto value = decode(piece.substr(std::min(equals + 1, piece.size())), true);
    if (!value)
      return failure{errc::invalid_parameter,
                     "the query parameter " + in_quotes(*name)
                       + " holds a bad escape, a control character or something that is not UTF-8"};
    xs.content_.emplace_back(std::move(*name), std::move(*value));
  }
  return xs;
}

std::optional<std::string_view> query_parameters::first(std::string_view name) const noexcept {
  for (auto& x : content_)
    if (x.first == name)
      return x.second;
  return std::nullopt;
}

std::vector<std::string_view> query_parameters::all(std::string_view name) const {
  std::vector<std::string_view> xs;
  for (auto& x : content_)
    if (x.first == name)
      xs.push_back(x.second);
  return xs;
}

std::vector<std::string> query_parameters::take(std::string_view name) {
  std::vector<std::string> values;
  std::erase_if(content_, [&](parameter& x) {
    if (x.first != name)
      return false;
    values.push_back(std::move(x.second));
    return true;
  });
  return values;
}

status query_parameters::check_names(std::initializer_list<std::string_view> once,
                                     std::initializer_list<std::string_view> repeatable) const {
  for (size_t i = 0; i < content_.size(); ++i) {
    std::string_view name = content_[i].first;
    if (name.front() == '_'
        || std::find(repeatable.begin(), repeatable.end(), name) != repeatable.end())
      continue;
    if (std::find(once.begin(), once.end(), name) == once.end())
      return failure{errc::invalid_parameter,
                     "there is no query parameter " + in_quotes(name) + " here"};
    for (size_t k = 0; k < i; ++k)
      if (content_[k].first == name)
        return failure{errc::invalid_parameter,
                       "the query parameter " + in_quotes(name) + " is repeated"};
  }
  return std::nullopt;
}

// -- target --------------------------------------------------------------------------------------

result<request_target> parse_target(std::string_view text) {
  if (!text.empty() && text.front() != '/' && text != "*") {
    auto scheme = text.find("://");
    if (scheme == std::string_view::npos)
      return failure{errc::invalid_request, "the request target must begin with a slash"};
    auto path = text.find_first_of("/?", scheme + 3);
    text = path == std::string_view::npos ? std::string_view{"/"} : text.substr(path);
  }
  if (text.empty())
    return failure{errc::invalid_request, "the request target is empty"};
  auto mark = std::min(text.find('?'), text.size());
  request_target x;
  x.path = mark == 0 ? std::string_view{"/"} : text.substr(0, mark);
  auto query = query_parameters::parse(text.substr(std::min(mark + 1, text.size())));
  if (!query)
    return query.error();
  x.query = std::move(*query);
  return x;
}

result<std::string> topic_of_path(std::string_view path) {
  constexpr auto prefix = std::string_view{"/topics/"};
  if (!path.starts_with(prefix))
    return failure{errc::not_found, "there is no such path"};
  auto name = percent_decode(path.substr(prefix.size()));
  if (!name)
    return failure{errc::invalid_topic, "the topic in the path holds a bad escape, a control "
                                        "character or something that is not UTF-8"};
  return std::move(*name);
}

} // namespace tidings::http
