#pragma once

#include "tidings/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidings::http {

// A strict reader for JSON from outside (RFC 8259): UTF-8, no repeated names in any object, at most
// 32 levels, numbers that fit a double, nothing after the value. It builds no tree: publishing
// looks at the outermost object only, and passes on what is nested as it stands. All functions fail
// with errc::invalid_json.

inline constexpr size_t json_depth_max = 32;

enum class json_kind : uint8_t { null, boolean, number, string, object, array };

/// A value inside an object or array.
struct json_item {
  std::string name; ///< decoded; empty in arrays
  json_kind kind = json_kind::null;
  bool plain = true; ///< string: without escapes; object, array: without blanks between tokens
  std::string_view source; ///< as it is written, part of what was scanned

  /// A string, decoded.
  std::string text() const;

  /// Appends the value without the blanks between its tokens.
  void append_compact(std::string& out) const;
};

/// The members of an object, in their order.
result<std::vector<json_item>> scan_object(std::string_view json);

/// The elements of an array. Each may be nested as deep as a value of its own.
result<std::vector<json_item>> scan_array(std::string_view json);

/// Any value: an item without a name.
result<json_item> scan_value(std::string_view json);

} // namespace tidings::http
