#define CAF_SUITE tail_check

#include "storage/tail_check.hpp"

#include "storage/record_codec.hpp"

#include <caf/test/dsl.hpp>

#include <string>
#include <vector>

using namespace tidings;
using namespace tidings::storage;

namespace {

struct fixture {
  std::vector<std::string> values; // of positions 1, 2, …
  std::vector<uint64_t> chains;

  fixture() {
    uint64_t chain = 0;
    for (uint64_t i = 1; i <= 5; ++i) {
      record x;
      x.origin = {1, i};
      x.content.topics = {"t"};
      x.content.data = std::to_string(i);
      values.emplace_back();
      encode_record(values.back(), x, chain);
      chain = x.chain;
      chains.push_back(chain);
    }
  }

  watermark mark(uint64_t position) {
    return {{1, position}, lsn{position}, chains[position - 1], 1, 0};
  }

  std::string check(std::optional<watermark> expected, std::vector<uint64_t> positions) {
    tail_check x{expected};
    for (auto i : positions)
      x.add(lsn{i}, values[i - 1]);
    auto problem = x.finish();
    return problem ? problem->detail : "";
  }

  bool reports(std::string_view words, const std::string& problem) {
    CAF_MESSAGE(problem);
    return problem.find(words) != std::string::npos
           && problem.find("storage.recovery=salvage") != std::string::npos;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(tail_check_tests, fixture)

CAF_TEST(an end that fits is accepted wherever it is first looked at) {
  CAF_CHECK_EQUAL(check(mark(5), {1, 2, 3, 4, 5}), "");
  CAF_CHECK_EQUAL(check(mark(2), {3, 4, 5}), "");
  CAF_CHECK_EQUAL(check(std::nullopt, {4, 5}), "");
  CAF_CHECK_EQUAL(check(std::nullopt, {}), "");
}

CAF_TEST(a log that ends before the mark has lost something) {
  CAF_CHECK(reports("ends at position 4", check(mark(5), {2, 3, 4})));
  CAF_CHECK(reports("ends at position 0", check(mark(1), {})));
}

CAF_TEST(holes and foreign entries are found) {
  CAF_CHECK(reports("jumps from position 2 to 4", check(mark(5), {1, 2, 4, 5})));
  auto other = mark(3);
  other.chain ^= 1;
  CAF_CHECK(reports("not the one that was synced", check(other, {1, 2, 3, 4, 5})));
  values[2].back() ^= 1;
  CAF_CHECK(reports("position 3 does not follow", check(mark(5), {1, 2, 3, 4, 5})));
  values[2].pop_back();
  CAF_CHECK(reports("position 3 cannot be read", check(mark(5), {1, 2, 3, 4, 5})));
}

CAF_TEST(a stub stands for what it replaced) {
  decoded_entry x;
  CAF_REQUIRE(decode_entry(values[2], x));
  encode_stub(values[2], entry_form::expired, 1, x);
  CAF_CHECK_EQUAL(check(mark(3), {1, 2, 3, 4, 5}), "");
  values[3].back() ^= 1;
  CAF_CHECK(reports("position 4 does not follow", check(mark(3), {1, 2, 3, 4, 5})));
}

CAF_TEST_FIXTURE_SCOPE_END
()
