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

  /// Raises components to those of another cursor that are higher. Of nodes that there is no room
  /// for nothing is taken over.
  void merge(const cursor& x);

  /// Whether a record was seen by who stands here.
  bool covers(uint64_t node, origin_position at) const noexcept;

  /// Whether everything that was seen there was seen here.
  bool covers(const cursor& x) const noexcept;

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

/// The name of one record, the same on every node of a cluster. On its own a node prints the cursor
/// that ends with the record, which says the same there; a member of a cluster prints `e1.` and
/// unpadded base64url of 8 bytes node, varint incarnation, varint sequence.
struct event_id {
  uint64_t node = 0;
  origin_position at;

  /// @param is_member whether the node belongs to a cluster
  void append_to(std::string& out, bool is_member) const;
  std::string to_string(bool is_member) const;

  /// Strict. Both forms, and no cursor that stands behind records of several nodes.
  static std::optional<event_id> parse(std::string_view text);

  bool operator==(const event_id&) const = default;
};

} // namespace tidings
