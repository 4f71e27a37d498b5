#include "simulator/model_record.hpp"

#include "simulator/random.hpp"

#include <cstring>

namespace tidings::simulator {

namespace {

constexpr size_t encoded_bytes = 13;

} // namespace

std::string encode(const payload& x, size_t padding) {
  std::string result(encoded_bytes + padding, '.');
  std::memcpy(result.data(), &x.value, 4);
  std::memcpy(result.data() + 4, &x.expires_ms, 8);
  result[12] = x.copy ? 'c' : 'o';
  return result;
}

payload decode(const std::string& bytes) {
  payload result;
  std::memcpy(&result.value, bytes.data(), 4);
  std::memcpy(&result.expires_ms, bytes.data() + 4, 8);
  result.copy = bytes[12] == 'c';
  return result;
}

uint64_t chain_after(uint64_t before, uint64_t node, const replica& x) {
  auto result = mix(before + node);
  result = mix(result ^ x.at.incarnation) + x.at.sequence;
  result = mix(result ^ x.follows.incarnation) + x.follows.sequence;
  auto y = decode(x.bytes);
  result = mix(result ^ y.value) + static_cast<uint64_t>(y.expires_ms);
  return mix(result + x.bytes.size() * 2 + (y.copy ? 1 : 0));
}

std::string to_string(uint64_t node, const origin_position& at) {
  return std::to_string(node) + ":" + std::to_string(at.incarnation) + "."
         + std::to_string(at.sequence);
}

} // namespace tidings::simulator
