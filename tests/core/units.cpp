#define CAF_SUITE units

#include "tidings/units.hpp"

#include <caf/test/dsl.hpp>

#include <ctime>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace {

using namespace tidings;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto max64 = std::numeric_limits<uint64_t>::max();

// -- durations
// -------------------------------------------------------------------------------------

CAF_TEST(durations have units) {
  const std::vector<std::pair<std::string, milliseconds>> known{{"250ms", 250ms},
                                                                {"30s", 30s},
                                                                {"5m", 5min},
                                                                {"12h", 12h},
                                                                {"7d", 168h},
                                                                {"1h30m", 90min},
                                                                {"1d2h3m4s5ms", 93784005ms},
                                                                {"0", 0ms},
                                                                {"0s", 0ms},
                                                                {"007s", 7s},
                                                                {"1m500ms", 60500ms},
                                                                {"90m", 90min}};
  for (auto& [text, x] : known)
    CAF_CHECK(parse_duration(text) == x);
}

CAF_TEST(unclear durations are refused) {
  for (auto x : {"",     "1",     "00",    "30",  "s",    "ms",   "1 s", " 1s", "1s ",
                 "1S",   "1.5h",  "-1s",   "+1s", "1h30", "1sec", "1us", "1w",  "1s1s",
                 "1s1m", "5ms1s", "30m1h", "1mm", "1hs",  "1e3s", "0x1s"})
    CAF_CHECK(!parse_duration(x));
}

CAF_TEST(durations are bounded) {
  CAF_CHECK(parse_duration("365000d") == duration_max);
  for (auto x : {"365000d1ms", "365001d", "18446744073709551615d", "18446744073709551616ms",
                 "213503982334602d", "99999999999999999999999s"})
    CAF_CHECK(!parse_duration(x));
}

CAF_TEST(durations print in their largest units) {
  CAF_CHECK_EQUAL(format_duration(0ms), "0");
  CAF_CHECK_EQUAL(format_duration(-5ms), "0");
  CAF_CHECK_EQUAL(format_duration(90s), "1m30s");
  CAF_CHECK_EQUAL(format_duration(24h), "1d");
  CAF_CHECK_EQUAL(format_duration(1500ms), "1s500ms");
  CAF_CHECK_EQUAL(format_duration(93784005ms), "1d2h3m4s5ms");
}

CAF_TEST(durations read back as printed) {
  std::mt19937_64 random{20261121};
  for (int i = 0; i < 20'000; ++i) {
    milliseconds x{static_cast<int64_t>((random() >> random() % 64)
                                        % static_cast<uint64_t>(duration_max.count()))};
    if (parse_duration(format_duration(x)) != x)
      CAF_FAIL("wrong: " << format_duration(x));
  }
}

// -- sizes
// -----------------------------------------------------------------------------------------

CAF_TEST(sizes are powers of 1024) {
  const std::vector<std::pair<std::string, uint64_t>> known{{"0", 0},
                                                            {"512", 512},
                                                            {"64KiB", 65536},
                                                            {"64k", 65536},
                                                            {"1M", 1 << 20},
                                                            {"1MiB", 1 << 20},
                                                            {"2GiB", 2ull << 30},
                                                            {"1t", 1ull << 40},
                                                            {"1mib", 1 << 20},
                                                            {"3TiB", 3ull << 40},
                                                            {"18446744073709551615", max64}};
  for (auto& [text, x] : known)
    CAF_CHECK(parse_bytes(text) == x);
}

CAF_TEST(unclear sizes are refused) {
  for (auto x : {"", "k", "KiB", "64KB", "64Kb", "1 M", "1M ", " 1", "-1", "+1", "1.5M", "1kk",
                 "1Ki", "1B", "18446744073709551616", "16777216TiB", "18014398509481984k"})
    CAF_CHECK(!parse_bytes(x));
}

CAF_TEST(sizes print in the largest unit that is exact) {
  CAF_CHECK_EQUAL(format_bytes(0), "0");
  CAF_CHECK_EQUAL(format_bytes(1000), "1000");
  CAF_CHECK_EQUAL(format_bytes(65536), "64KiB");
  CAF_CHECK_EQUAL(format_bytes(1536 * 1024), "1536KiB");
  CAF_CHECK_EQUAL(format_bytes(5ull << 40), "5TiB");
  CAF_CHECK_EQUAL(format_bytes(max64), "18446744073709551615");
}

CAF_TEST(sizes read back as printed) {
  std::mt19937_64 random{20261121};
  for (int i = 0; i < 20'000; ++i) {
    auto x = (random() >> random() % 64) << random() % 50;
    if (parse_bytes(format_bytes(x)) != x)
      CAF_FAIL("wrong: " << format_bytes(x));
  }
}

// -- times
// -----------------------------------------------------------------------------------------

CAF_TEST(times read as RFC 3339 says) {
  const std::vector<std::pair<std::string, int64_t>> known{
    {"1970-01-01T00:00:00Z", 0},
    {"2026-11-21T06:19:28.123Z", 1795241968123},
    {"2026-11-21t06:19:28.123z", 1795241968123},
    {"2026-11-21T07:49:28.123+01:30", 1795241968123},
    {"2026-11-20T23:19:28.123-07:00", 1795241968123},
    {"2026-11-21T06:19:28.123-00:00", 1795241968123},
    {"2026-11-21T06:19:28.1Z", 1795241968100},
    {"2026-11-21T06:19:28.12Z", 1795241968120},
    {"2026-11-21T06:19:28.123999999Z", 1795241968123},
    {"1969-12-31T23:59:59.999Z", -1},
    {"1969-12-31T23:59:59.9999Z", -1},
    {"2024-02-29T00:00:00Z", 1709164800000},
    {"2000-02-29T00:00:00Z", 951782400000},
    {"0000-01-01T00:00:00Z", -62167219200000},
    {"9999-12-31T23:59:59.999Z", 253402300799999},
    {"0000-01-01T00:00:00+23:59", -62167219200000 - 86340000},
    {"2016-12-31T23:59:60Z", 1483228800000},
    {"1990-12-31T15:59:60-08:00", 662688000000}};
  for (auto& [text, x] : known)
    CAF_CHECK_EQUAL(parse_rfc3339(text).value_or(1), x);
}

CAF_TEST(what is not RFC 3339 is refused) {
  for (auto x : {"",
                 "2026",
                 "2026-11-21",
                 "2026-11-21T06:19:28",
                 "2026-11-21 06:19:28Z",
                 "2026-11-21T06:19Z",
                 "2026-11-21T06:19:28.Z",
                 "2026-11-21T06:19:28,1Z",
                 "2026-11-21T06:19:28.1234567890Z",
                 "2026-11-21T06:19:28Z ",
                 " 2026-11-21T06:19:28Z",
                 "2026-11-21T06:19:28ZZ",
                 "2026-11-21T06:19:28+0100",
                 "2026-11-21T06:19:28+01",
                 "2026-11-21T06:19:28+24:00",
                 "2026-11-21T06:19:28+01:60",
                 "2026-11-21T06:19:28+1:00",
                 "2026-13-01T00:00:00Z",
                 "2026-00-01T00:00:00Z",
                 "2026-01-00T00:00:00Z",
                 "2026-01-32T00:00:00Z",
                 "2026-04-31T00:00:00Z",
                 "2026-02-29T00:00:00Z",
                 "1900-02-29T00:00:00Z",
                 "2026-01-01T24:00:00Z",
                 "2026-01-01T00:60:00Z",
                 "2026-01-01T00:00:61Z",
                 "2026-01-01T12:00:60Z",
                 "2016-12-31T23:59:60+01:00",
                 "+2026-01-01T00:00:00Z",
                 "-026-01-01T00:00:00Z",
                 "2026-1-01T00:00:00Z",
                 "02026-01-01T00:00:00Z",
                 "2026-01-01T00:00:0 Z",
                 "2026/01/01T00:00:00Z",
                 "２026-01-01T00:00:00Z"})
    CAF_CHECK(!parse_rfc3339(x));
}

CAF_TEST(times print in UTC with milliseconds) {
  CAF_CHECK_EQUAL(format_rfc3339(1795241968123), "2026-11-21T06:19:28.123Z");
  CAF_CHECK_EQUAL(format_rfc3339(0), "1970-01-01T00:00:00.000Z");
  CAF_CHECK_EQUAL(format_rfc3339(-1), "1969-12-31T23:59:59.999Z");
  CAF_CHECK_EQUAL(format_rfc3339(std::numeric_limits<int64_t>::max()), "9999-12-31T23:59:59.999Z");
  CAF_CHECK_EQUAL(format_rfc3339(std::numeric_limits<int64_t>::min()), "0000-01-01T00:00:00.000Z");
  std::string out = "at ";
  append_rfc3339(out, 1);
  CAF_CHECK_EQUAL(out, "at 1970-01-01T00:00:00.001Z");
}

CAF_TEST(times agree with the calendar of the system) {
  std::mt19937_64 random{20261121};
  for (int i = 0; i < 20'000; ++i) {
    auto ms = static_cast<int64_t>(random() % 315'000'000'000'000) - 62'000'000'000'000;
    auto seconds = static_cast<std::time_t>(ms >= 0 ? ms / 1000 : -((999 - ms) / 1000));
    std::tm broken{};
    gmtime_r(&seconds, &broken);
    char text[80];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", broken.tm_year + 1900,
                  broken.tm_mon + 1, broken.tm_mday, broken.tm_hour, broken.tm_min, broken.tm_sec,
                  static_cast<int>(ms - seconds * 1000));
    if (format_rfc3339(ms) != text || parse_rfc3339(text) != ms)
      CAF_FAIL("wrong: " << text << " against " << format_rfc3339(ms));
  }
}

// -- numbers
// ---------------------------------------------------------------------------------------

CAF_TEST(numbers are digits and nothing else) {
  CAF_CHECK(parse_unsigned("0") == 0u);
  CAF_CHECK(parse_unsigned("007") == 7u);
  CAF_CHECK(parse_unsigned("18446744073709551615") == max64);
  for (auto x :
       {"", " 1", "1 ", "+1", "-1", "-0", "0x1", "1e3", "1.0", "18446744073709551616", "a"})
    CAF_CHECK(!parse_unsigned(x));
}

} // namespace
