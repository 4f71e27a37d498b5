#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidings::storage {

// The form of the small files beside the database: a title line, `name value` lines, and a checksum
// over all of them. People can read it, and damage shows.

class field_writer {
public:
  explicit field_writer(std::string_view title);

  void add(std::string_view name, std::string_view value);

  void add(std::string_view name, uint64_t value);

  /// Ends the text.
  std::string finish() &&;

private:
  std::string text_;
};

/// Strict: the fields must come in the order in which they are asked for.
class field_reader {
public:
  field_reader(std::string_view title, std::string_view text);

  std::string_view text(std::string_view name);

  uint64_t number(std::string_view name);

  /// Whether title, checksum and all fields asked for were right, and there were no others.
  bool done() const noexcept {
    return ok_ && rest_.empty();
  }

  bool ok() const noexcept {
    return ok_;
  }

private:
  std::string_view rest_;
  bool ok_ = true;
};

} // namespace tidings::storage
