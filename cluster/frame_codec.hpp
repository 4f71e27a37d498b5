#pragma once

#include "cluster/message.hpp"
#include "tidings/position.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// The bytes of a link. Everything travels in frames:
///
///     2 magic "Td" | 1 frame version | 1 type | 4 length of the payload | 8 checksum | payload
///
/// Numbers are big endian; the checksum is XXH3-64 over the eight bytes before it and the payload.
/// In payloads, sequences, lengths and counts are LEB128.
namespace tidings::cluster {

inline constexpr size_t frame_head_bytes = 16;
inline constexpr size_t frame_payload_max = 1024 * 1024;

/// What a frame may have as long as nobody knows who sends it.
inline constexpr size_t early_payload_max = 4 * 1024;

// What one message may have.
inline constexpr size_t origins_max = 1024;  ///< in `heads`
inline constexpr size_t records_max = 16384; ///< in `data`

/// What a `data` message takes beside its records, and a record beside its bytes, at most: a batch
/// whose sum stays within `frame_payload_max` can be sent.
inline constexpr size_t data_overhead_max = 8 + 3;
inline constexpr size_t replica_overhead_max = 4 * 10 + 8 + 10;

/// Bytes of the longest record that can travel.
inline constexpr size_t replica_bytes_max =
  frame_payload_max - data_overhead_max - replica_overhead_max;

/// Why a link ends. The numbers travel.
enum class close_reason : uint8_t {
  shutting_down = 1,
  wrong_cluster = 2,     ///< it belongs to another cluster
  version_mismatch = 3,  ///< no version of the protocol is spoken by both
  own_node = 4,          ///< it has this node's id
  bad_proof = 5,         ///< it does not know the cluster's secret
  not_a_member = 6,      ///< nobody configured a member of that name
  wrong_certificate = 7, ///< its certificate is for another name
  not_a_frame = 8,       ///< the bytes do not begin like a frame
  frame_too_long = 9,
  bad_checksum = 10,
  malformed_frame = 11,   ///< the payload is not what its type says
  unexpected_frame = 12,  ///< not at this time
  handshake_timeout = 13, ///< it took too long to say who it is
  silent = 14,            ///< nothing was heard for too long
  replaced = 15,          ///< by another link to the same node
  stalled = 16,           ///< it does not read what is sent to it
  connection_lost = 17,   ///< never sent: the connection ended without a word
  tls_failed = 18,        ///< never sent: no secure channel came about, or it broke
};

inline constexpr auto close_reason_last = close_reason::tls_failed;

/// The name of the enumerator, for logs and metrics.
const char* to_string(close_reason x) noexcept;

using link_nonce = std::array<uint8_t, 32>;
using link_proof = std::array<uint8_t, 32>;

/// The first frame in each direction: who claims to be there.
struct hello {
  uint16_t version_min = 0; ///< of the protocol that the sender speaks
  uint16_t version_max = 0;
  uint32_t abilities = 0; ///< one bit for each thing that not every version can do
  std::string cluster;    ///< its name, 1 to 255 bytes
  node_id node;
  std::string member; ///< its name in the list of members, 1 to 255 bytes
  uint64_t incarnation = 0;
  uint64_t membership = 0; ///< version of the list of members that the sender has
  link_nonce nonce{};      ///< random, for this link alone

  bool operator==(const hello&) const = default;
};

/// The second frame in each direction: that the sender of the hello knows the cluster's secret.
struct proof {
  link_proof code{};

  bool operator==(const proof&) const = default;
};

/// The sender is alive.
struct ping {
  bool operator==(const ping&) const = default;
};

/// The last frame: the sender closes the link.
struct goodbye {
  static constexpr size_t text_max = 255; ///< bytes

  close_reason reason = close_reason::shutting_down;
  std::string text; ///< one line for people, or empty

  bool operator==(const goodbye&) const = default;
};

using frame = std::variant<hello, proof, ping, goodbye, message>;

enum class frame_type : uint8_t {
  hello = 1,
  proof = 2,
  ping = 3,
  goodbye = 4,
  heads = 16,
  want = 17,
  stop = 18,
  credit = 19,
  data = 20,
  forgotten = 21,
  request = 22,
  response = 23,
};

/// Appends a frame. False, and nothing appended, if it would break one of the limits above.
[[nodiscard]] bool append_frame(std::string& out, const frame& x);
[[nodiscard]] bool append_frame(std::string& out, const message& x);

/// Writes the checksum of the frame that begins at `begin` and ends with `out`.
void set_frame_checksum(std::string& out, size_t begin = 0);

/// What the first bytes of a frame say; the length is checked, the rest of the frame is not there
/// yet.
struct frame_head {
  frame_type type{};
  size_t payload_bytes = 0;
};

/// Reads the first `frame_head_bytes` of a frame.
/// @param payload_max what the length may be
/// @returns why not
std::optional<close_reason> read_frame_head(std::string_view bytes, size_t payload_max,
                                            frame_head& out) noexcept;

/// Reads a whole frame, head included. Strict: every byte must be accounted for, and nothing is
/// allocated for a count that the bytes cannot hold.
/// @pre read_frame_head has taken its head, and it is as long as that says
/// @returns why not
std::optional<close_reason> read_frame(std::string_view bytes, frame& out);

} // namespace tidings::cluster
