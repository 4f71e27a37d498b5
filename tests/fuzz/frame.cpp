// Frames as a node sends them: strict, and the same when written again.

#include "cluster/frame_codec.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using namespace tidings;
using namespace tidings::cluster;

void check(std::string_view bytes) {
  frame_head head;
  if (read_frame_head(bytes, frame_payload_max, head))
    return;
  fuzz::require(head.payload_bytes <= frame_payload_max, "a payload within the bound");
  auto whole = frame_head_bytes + head.payload_bytes;
  if (bytes.size() < whole)
    return;
  frame x;
  if (read_frame(bytes.substr(0, whole), x))
    return;
  std::string again;
  fuzz::require(append_frame(again, x), "what was read can be written");
  fuzz::require(again == bytes.substr(0, whole), "one way to write a frame");
}

} // namespace

/// The first byte is the type, the rest the payload, in a frame that is otherwise right: no fuzzer
/// finds a checksum. Then the bytes as they are.
void tidings::fuzz::run(std::string_view input) {
  check(input);
  if (input.empty())
    return;
  auto payload = input.substr(1);
  std::string bytes{"Td\x01", 3};
  bytes.push_back(input.front());
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(payload.size() >> shift));
  bytes.append(8, '\0').append(payload);
  set_frame_checksum(bytes);
  check(bytes);
}
