#pragma once

#include <cstddef>

namespace tidings {

/// Stands for a value of any type in a braced initialiser.
struct any_value {
  template <class T>
  operator T() const; // only named, never called
};

/// How many fields an aggregate has.
template <class T, class... Fields>
constexpr size_t field_count() {
  if constexpr (requires { T{Fields{}..., any_value{}}; })
    return field_count<T, Fields..., any_value>();
  else
    return sizeof...(Fields);
}

} // namespace tidings
