#pragma once

#include "http/response.hpp"
#include "tidings/result.hpp"

#include <cstddef>
#include <span>

namespace tidings::http {

/// One refused item of a batch.
struct item_failure {
  size_t index;
  failure why;
};

/// How many refused items a batch problem names.
inline constexpr size_t item_failures_max = 100;

unsigned status_of(errc x) noexcept;

/// For people; never changes for a code.
std::string_view title_of(errc x) noexcept;

/// The problem document (RFC 9457) of a failure.
/// @param status another status than that of the code; 0: that of the code
response problem(const failure& x, unsigned status = 0);

/// The problem document of an atomic batch: status and code are those of the first refused item.
/// @param xs not empty, ascending by index
response batch_problem(std::span<const item_failure> xs);

} // namespace tidings::http
