#pragma once

#include "tidings/result.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidings::http {

/// Decodes `%XX` once. nullopt: a bad escape, or a result that is not UTF-8 or holds a control
/// character. `+` stays what it is.
std::optional<std::string> percent_decode(std::string_view text);

/// The parameters of a query, decoded, in their order. `+` and `%20` are a space, as in HTML forms
/// and URLSearchParams; a plus sign is `%2B`.
class query_parameters {
public:
  using parameter = std::pair<std::string, std::string>;

  static constexpr size_t parameters_max = 256;

  query_parameters() = default;

  /// Fails with errc::invalid_parameter.
  static result<query_parameters> parse(std::string_view query);

  /// The first value of a parameter, valid as long as this object.
  std::optional<std::string_view> first(std::string_view name) const noexcept;

  std::vector<std::string_view> all(std::string_view name) const;

  /// Takes a parameter out; returns its values.
  std::vector<std::string> take(std::string_view name);

  /// Refuses parameters with other names, and repeats of those in `once`. Names that begin with `_`
  /// are nobody's: scripts add them against caches.
  status check_names(std::initializer_list<std::string_view> once,
                     std::initializer_list<std::string_view> repeatable = {}) const;

  auto begin() const noexcept {
    return content_.begin();
  }

  auto end() const noexcept {
    return content_.end();
  }

  size_t size() const noexcept {
    return content_.size();
  }

private:
  std::vector<parameter> content_;
};

/// What a request line asks for.
struct request_target {
  std::string_view path; ///< as sent, begins with `/`, or `*`; part of the text that was parsed
  query_parameters query;
};

/// Splits a target in origin form or absolute form. Fails with errc::invalid_request or
/// errc::invalid_parameter.
result<request_target> parse_target(std::string_view text);

/// The topic or pattern in a path `/topics/{topic}`: everything after the second slash, decoded
/// once, not validated. Fails with errc::not_found for other paths and with errc::invalid_topic.
result<std::string> topic_of_path(std::string_view path);

} // namespace tidings::http
