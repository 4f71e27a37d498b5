#define CAF_SUITE tail_check

#include "storage/tail_check.hpp"

#include "storage/record_codec.hpp"

#include <caf/test/dsl.hpp>

#include <array>
#include <string>
#include <vector>

using namespace tidings;
using namespace tidings::storage;

namespace {

constexpr std::array<uint64_t, slots_max> nodes{42, 43};

struct fixture {
  std::vector<std::string> values; // of positions 1, 2, …
  std::vector<uint64_t> chains;
  std::array<log_head, 2> heads{};

  fixture() {
    for (uint64_t i = 1; i <= 5; ++i)
      add(0, {1, i});
  }

  /// The next entry, of whichever node.
  void add(uint8_t slot, origin_position at) {
    auto& head = heads[slot];
    record x;
    x.node = nodes[slot];
    x.origin = at;
    x.content.topics = {"t"};
    x.content.data = std::to_string(values.size() + 1);
    values.emplace_back();
    encode_place(values.back(), {slot, 0, {}});
    append_body(values.back(), x, {.follows = head.at},
                head.at.incarnation == at.incarnation ? head.chain : 0);
    head = {x.node, at, x.chain};
    chains.push_back(x.chain);
  }

  std::vector<uint64_t> all() const {
    std::vector<uint64_t> xs;
    for (uint64_t i = 1; i <= values.size(); ++i)
      xs.push_back(i);
    return xs;
  }

  watermark mark(uint64_t position) {
    return {{1, position}, lsn{position}, chains[position - 1], 1, 0};
  }

  std::string check(std::optional<watermark> expected, std::vector<uint64_t> positions) {
    tail_check x{expected, nodes};
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

CAF_TEST(the chains of several nodes and incarnations go beside each other) {
  add(1, {7, 1});
  add(0, {1, 6});
  add(1, {7, 2});
  add(1, {8, 1}); // begins anew
  add(0, {2, 1});
  add(1, {8, 2});
  CAF_CHECK_EQUAL(check(mark(11), all()), "");
  CAF_CHECK_EQUAL(check(mark(11), {7, 8, 9, 10, 11}), "");
  for (uint64_t changed = 6; changed <= 11; ++changed) {
    auto before = values[changed - 1];
    values[changed - 1].back() ^= 1;
    CAF_CHECK(reports("position " + std::to_string(changed) + " does not follow",
                      check(std::nullopt, all())));
    values[changed - 1] = before;
  }
}

CAF_TEST(a record belongs to the node whose it is) {
  add(1, {7, 1});
  values[5][1] = 0; // slot
  CAF_CHECK(reports("position 6 does not follow", check(std::nullopt, all())));
}

CAF_TEST(a hole in the records of one node is found) {
  add(1, {7, 1});
  add(1, {7, 3});
  CAF_CHECK(reports("position 7 skips others of its node", check(std::nullopt, all())));
  // Where the place of what is not known any more says so, there is none.
  add(1, {7, 4});
  decoded_entry x;
  CAF_REQUIRE(decode_entry(values[6], x));
  x.chain = 0;
  encode_stub(values[6], entry_form::expired, 1, x);
  CAF_CHECK_EQUAL(check(std::nullopt, all()), "");
}

CAF_TEST(what came from an old store is not chained) {
  add(1, {7, 1});
  add(1, {7, 2});
  for (size_t i : {5, 6}) {
    decoded_entry x;
    CAF_REQUIRE(decode_entry(values[i], x));
    std::string body{x.body};
    set_unchained(body);
    values[i].replace(values[i].size() - body.size(), body.size(), body);
  }
  CAF_CHECK_EQUAL(check(std::nullopt, all()), "");
}

CAF_TEST(entries of old versions follow on the whole log and those of today on them) {
  // Of version 1: the chains go over everything.
  auto old = [](std::string_view sequence, std::string_view chain) {
    std::string hex = "0100"
                      "0000000000000000";
    hex.append(chain)
      .append("00000000"
              "0000000000000000"
              "0001")
      .append(sequence);
    hex += "0101"
           "74"
           "00"
           "00"
           "0178";
    std::string bytes;
    for (size_t i = 0; i < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
  };
  values = {old("01", "1825a48018f92bc2"), old("02", "b681ea672b16ab27"),
            old("03", "04ea315449a1c7a5")};
  chains.assign(3, 0);
  heads[0] = {nodes[0], {1, 3}, 0};
  add(0, {2, 1});
  add(1, {7, 1});
  add(0, {2, 2});
  CAF_CHECK_EQUAL(check(std::nullopt, all()), "");
  values[1].back() ^= 1;
  CAF_CHECK(reports("position 2 does not follow", check(std::nullopt, all())));
  values[1].back() ^= 1;
  decoded_entry x;
  CAF_REQUIRE(decode_entry(values[1], x));
  encode_stub(values[1], entry_form::evicted, 1, x);
  CAF_CHECK_EQUAL(check(std::nullopt, all()), "");
}

CAF_TEST_FIXTURE_SCOPE_END
()
