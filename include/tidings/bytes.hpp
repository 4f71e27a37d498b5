#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidings {

// Integers as bytes: big endian, so that the order of keys is the order of numbers, and LEB128 for
// lengths.

template <class T>
void store_big_endian(char* to, T x) noexcept {
  for (size_t i = sizeof(T); i-- > 0; x = static_cast<T>(x >> 8))
    to[i] = static_cast<char>(x);
}

template <class T>
T load_big_endian(const char* from) noexcept {
  T x = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    x = static_cast<T>((x << 8) | static_cast<unsigned char>(from[i]));
  return x;
}

inline void append_u64(std::string& out, uint64_t x) {
  char bytes[8];
  store_big_endian(bytes, x);
  out.append(bytes, sizeof(bytes));
}

inline void append_varint(std::string& out, uint64_t x) {
  for (; x >= 0x80; x >>= 7)
    out.push_back(static_cast<char>(x | 0x80));
  out.push_back(static_cast<char>(x));
}

/// Takes bytes from the front of a view; never reads beyond it. After a failure all further takes
/// fail too.
class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) noexcept
    : at_(bytes.data()), end_(bytes.data() + bytes.size()) {
    // nop
  }

  uint8_t u8() noexcept {
    return need(1) ? static_cast<uint8_t>(*at_++) : uint8_t{0};
  }

  uint32_t u32() noexcept {
    if (!need(4))
      return 0;
    at_ += 4;
    return load_big_endian<uint32_t>(at_ - 4);
  }

  uint64_t u64() noexcept {
    if (!need(8))
      return 0;
    at_ += 8;
    return load_big_endian<uint64_t>(at_ - 8);
  }

  /// Only the shortest form of a number is accepted.
  uint64_t varint() noexcept {
    uint64_t x = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (!need(1))
        return 0;
      auto byte = static_cast<unsigned char>(*at_++);
      x |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) {
        if ((byte == 0 && shift > 0) || (shift == 63 && byte > 1))
          break;
        return x;
      }
    }
    ok_ = false;
    return 0;
  }

  /// A length and that many bytes.
  std::string_view text() noexcept {
    auto size = varint();
    if (!need(size))
      return {};
    at_ += size;
    return {at_ - size, static_cast<size_t>(size)};
  }

  bool ok() const noexcept {
    return ok_;
  }

  /// For callers that find a value wrong.
  void fail() noexcept {
    ok_ = false;
  }

  /// Bytes that have not been taken yet.
  size_t left() const noexcept {
    return static_cast<size_t>(end_ - at_);
  }

  /// Whether everything has been taken, and well.
  bool done() const noexcept {
    return ok_ && at_ == end_;
  }

private:
  bool need(uint64_t size) noexcept {
    if (!ok_ || size > static_cast<uint64_t>(end_ - at_))
      ok_ = false;
    return ok_;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

} // namespace tidings
