#include "tidings/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace tidings {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view digits = "0123456789";

struct unit {
  std::string_view name;
  uint64_t size;
};

// Largest first.
constexpr std::array<unit, 5> duration_units = {
  {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<unit, 4> byte_units = {
  {{"TiB", 1ull << 40}, {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}}};

/// Takes the digits at the front of `text` as a number.
std::optional<uint64_t> take_number(std::string_view& text) noexcept {
  auto length = std::min(text.find_first_not_of(digits), text.size());
  auto x = parse_unsigned(text.substr(0, length));
  text.remove_prefix(length);
  return x;
}

bool equal_ignoring_case(std::string_view x, std::string_view y) noexcept {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

} // namespace

// -- durations
// -------------------------------------------------------------------------------------

std::optional<milliseconds> parse_duration(std::string_view text) noexcept {
  if (text == "0")
    return milliseconds{0};
  if (text.empty())
    return std::nullopt;
  constexpr auto max = static_cast<uint64_t>(duration_max.count());
  uint64_t sum = 0;
  auto unit = duration_units.begin();
  while (!text.empty()) {
    auto x = take_number(text);
    auto name = text.substr(0, text.find_first_of(digits));
    unit = std::find_if(unit, duration_units.end(), [&](auto& u) { return u.name == name; });
    if (!x || unit == duration_units.end() || *x > (max - sum) / unit->size)
      return std::nullopt;
    sum += *x * unit->size;
    ++unit;
    text.remove_prefix(name.size());
  }
  return milliseconds{static_cast<int64_t>(sum)};
}

std::string format_duration(milliseconds x) {
  if (x.count() <= 0)
    return "0";
  std::string text;
  auto rest = static_cast<uint64_t>(x.count());
  for (auto& unit : duration_units) {
    if (rest >= unit.size) {
      text += std::to_string(rest / unit.size);
      text += unit.name;
      rest %= unit.size;
    }
  }
  return text;
}

// -- sizes
// -----------------------------------------------------------------------------------------

std::optional<uint64_t> parse_bytes(std::string_view text) noexcept {
  auto x = take_number(text);
  if (!x || text.empty())
    return x;
  for (auto& unit : byte_units)
    if (equal_ignoring_case(text, unit.name) || equal_ignoring_case(text, unit.name.substr(0, 1))) {
      if (*x > std::numeric_limits<uint64_t>::max() / unit.size)
        return std::nullopt;
      return *x * unit.size;
    }
  return std::nullopt;
}

std::string format_bytes(uint64_t x) {
  for (auto& unit : byte_units)
    if (x != 0 && x % unit.size == 0)
      return std::to_string(x / unit.size).append(unit.name);
  return std::to_string(x);
}

// -- times
// -----------------------------------------------------------------------------------------

namespace {

constexpr int64_t ms_per_day = 86'400'000;

// The times that four digits of a year can name.
constexpr int64_t rfc3339_min = -62'167'219'200'000;
constexpr int64_t rfc3339_max = 253'402'300'799'999;

/// Reads fields of fixed width; after the first that does not fit everything fails.
class field_reader {
public:
  explicit field_reader(std::string_view text) : rest_(text) {
    // nop
  }

  int number(size_t width) noexcept {
    int x = 0;
    for (size_t i = 0; i < width; ++i)
      x = x * 10 + digit();
    return x;
  }

  /// Takes one of the given characters.
  char one_of(std::string_view choices) noexcept {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) {
      failed_ = true;
      return 0;
    }
    auto c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  /// Takes up to nine digits after a point, if there is one.
  int fraction_ms() noexcept {
    if (!rest_.starts_with('.'))
      return 0;
    rest_.remove_prefix(1);
    auto length = std::min(rest_.find_first_not_of(digits), rest_.size());
    if (length == 0 || length > 9) {
      failed_ = true;
      return 0;
    }
    int ms = 0;
    for (size_t i = 0; i < 3; ++i)
      ms = ms * 10 + (i < length ? rest_[i] - '0' : 0);
    rest_.remove_prefix(length);
    return ms;
  }

  bool succeeded() const noexcept {
    return !failed_ && rest_.empty();
  }

private:
  int digit() noexcept {
    auto c = one_of(digits);
    return failed_ ? 0 : c - '0';
  }

  std::string_view rest_;
  bool failed_ = false;
};

void put_number(char* to, int64_t x, size_t width) noexcept {
  for (; width != 0; x /= 10)
    to[--width] = static_cast<char>('0' + x % 10);
}

} // namespace

std::optional<int64_t> parse_rfc3339(std::string_view text) noexcept {
  field_reader in{text};
  std::chrono::year year{in.number(4)};
  in.one_of("-");
  std::chrono::month month{static_cast<unsigned>(in.number(2))};
  in.one_of("-");
  std::chrono::day day{static_cast<unsigned>(in.number(2))};
  in.one_of("Tt");
  auto hour = in.number(2);
  in.one_of(":");
  auto minute = in.number(2);
  in.one_of(":");
  auto second = in.number(2);
  auto ms = in.fraction_ms();
  int offset = 0; // minutes
  if (auto sign = in.one_of("Zz+-"); sign == '+' || sign == '-') {
    auto hours = in.number(2);
    in.one_of(":");
    auto minutes = in.number(2);
    if (hours > 23 || minutes > 59)
      return std::nullopt;
    offset = (sign == '+' ? 1 : -1) * (hours * 60 + minutes);
  }
  std::chrono::year_month_day date{year, month, day};
  if (!in.succeeded() || !date.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  auto seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second;
  if (second == 60 && seconds % 86'400 != 0) // leap seconds end a day in UTC
    return std::nullopt;
  return seconds * 1000 + ms;
}

void append_rfc3339(std::string& out, int64_t unix_ms) {
  using namespace std::chrono;
  unix_ms = std::clamp(unix_ms, rfc3339_min, rfc3339_max);
  auto day = floor<days>(sys_time<milliseconds>{milliseconds{unix_ms}});
  year_month_day date{day};
  auto ms = unix_ms - day.time_since_epoch().count() * ms_per_day;
  char text[] = "0000-00-00T00:00:00.000Z";
  put_number(text, int{date.year()}, 4);
  put_number(text + 5, unsigned{date.month()}, 2);
  put_number(text + 8, unsigned{date.day()}, 2);
  put_number(text + 11, ms / 3'600'000, 2);
  put_number(text + 14, ms / 60'000 % 60, 2);
  put_number(text + 17, ms / 1000 % 60, 2);
  put_number(text + 20, ms % 1000, 3);
  out.append(text, sizeof text - 1);
}

std::string format_rfc3339(int64_t unix_ms) {
  std::string text;
  append_rfc3339(text, unix_ms);
  return text;
}

// -- numbers
// ---------------------------------------------------------------------------------------

std::optional<uint64_t> parse_unsigned(std::string_view text) noexcept {
  uint64_t x = 0;
  auto end = text.data() + text.size();
  auto [stop, problem] = std::from_chars(text.data(), end, x);
  if (problem != std::errc{} || stop != end)
    return std::nullopt;
  return x;
}

} // namespace tidings
