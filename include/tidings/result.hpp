#pragma once

#include "tidings/errc.hpp"

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace tidings {

/// Why something was refused. The detail is for people: English, one sentence, no secrets.
struct failure {
  errc code;
  std::string detail;
};

/// A value or a failure. Exceptions are for bugs; what can go wrong in daily life is a result.
template <class T>
class [[nodiscard]] result {
public:
  result(T x) : content_(std::move(x)) {
    // nop
  }

  result(failure x) : content_(std::move(x)) {
    // nop
  }

  explicit operator bool() const noexcept {
    return content_.index() == 0;
  }

  T& operator*() & {
    return std::get<0>(content_);
  }

  const T& operator*() const& {
    return std::get<0>(content_);
  }

  T&& operator*() && {
    return std::get<0>(std::move(content_));
  }

  T* operator->() {
    return &std::get<0>(content_);
  }

  const T* operator->() const {
    return &std::get<0>(content_);
  }

  const failure& error() const {
    return std::get<1>(content_);
  }

private:
  std::variant<T, failure> content_;
};

/// For functions that answer nothing but whether they worked.
using status = std::optional<failure>;

} // namespace tidings
