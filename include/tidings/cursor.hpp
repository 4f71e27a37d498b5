#pragma once

#include "tidings/position.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// The SSE `id`: for each node the highest (incarnation, sequence) that the stream's node had
/// committed up to and including an event. Opaque to clients.
///
/// Wire form: `c1.` + unpadded base64url of varint(count) and, per node in ascending order of
/// `node`, 8 bytes node (big endian), varint incarnation, varint sequence. At most 512 bytes,
/// alphabet `[A-Za-z0-9._-]`. One node gives about 25 characters.
class cursor {
public:
  struct component {
    uint64_t node = 0; ///< node_id::short_form
    origin_position at;

    auto operator<=>(const component&) const = default;
  };

  static constexpr size_t text_bytes_max = 512;
  static constexpr size_t components_max = 13; ///< as many as fit, whatever their numbers

  cursor() = default;

  /// Cursor of a store that is the only node.
  cursor(uint64_t node, origin_position at);

  /// Strict: exactly what `to_string` prints, nothing else. Constant work for any input length.
  static std::optional<cursor> parse(std::string_view text);

  std::string to_string() const;

  /// Appends what `to_string` returns; no allocation of its own.
  void append_to(std::string& out) const;

  /// Position of one node, or nullopt if the cursor knows nothing of it.
  std::optional<origin_position> find(uint64_t node) const noexcept;

  /// Sets one component. Throws if there would be more than `components_max`.
  void set(uint64_t node, origin_position at);

  bool empty() const noexcept {
    return components_.empty();
  }

  const std::vector<component>& components() const noexcept {
    return components_;
  }

  bool operator==(const cursor&) const = default;

private:
  std::vector<component> components_; // ascending by node
};

} // namespace tidings
