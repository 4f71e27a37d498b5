#pragma once

#include <cstdint>

namespace bench {

/// Which of the numbers 1, 2, 3… have come. Neighbours may overtake one another by up to 63, as
/// events do that two nodes took; what is further behind counts as missing.
class arrivals {
public:
  enum class verdict : uint8_t { in_order, late, again };

  /// What came before this number is not looked for.
  void begin_with(uint32_t number) {
    *this = {};
    up_to_ = number - 1;
  }

  verdict add(uint32_t number) {
    if (number <= up_to_)
      return verdict::again;
    while (number - up_to_ > 64)
      step();
    const auto bit = uint64_t{1} << (number - up_to_ - 1);
    if ((ahead_ & bit) != 0)
      return verdict::again;
    const auto seen = number > highest_;
    if (seen)
      highest_ = number;
    ahead_ |= bit;
    while ((ahead_ & 1U) != 0)
      step();
    return seen ? verdict::in_order : verdict::late;
  }

  /// All up to here have come or were given up.
  uint32_t up_to() const {
    return up_to_;
  }

  /// Given up. One that is late by more than 63 is counted here and then as `again`.
  uint32_t missing() const {
    return missing_;
  }

private:
  void step() {
    if ((ahead_ & 1U) == 0)
      ++missing_;
    ahead_ >>= 1U;
    ++up_to_;
  }

  uint64_t ahead_ = 0; // bit i: number up_to_ + 1 + i is there
  uint32_t up_to_ = 0;
  uint32_t highest_ = 0;
  uint32_t missing_ = 0;
};

} // namespace bench
