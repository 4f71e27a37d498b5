#define CAF_SUITE frame_codec

#include "cluster/frame_codec.hpp"

#include "tidings/bytes.hpp"

#include <caf/test/dsl.hpp>

#include <cstdlib>
#include <new>
#include <random>

namespace {

/// Of all that was allocated since it was set to 0.
size_t largest_allocation = 0;

} // namespace

[[gnu::noinline]] void* operator new(size_t bytes) {
  largest_allocation = std::max(largest_allocation, bytes);
  if (auto x = std::malloc(bytes))
    return x;
  throw std::bad_alloc{};
}

[[gnu::noinline]] void operator delete(void* x) noexcept {
  std::free(x);
}

[[gnu::noinline]] void operator delete(void* x, size_t) noexcept {
  std::free(x);
}

using namespace tidings;
using namespace tidings::cluster;

namespace {

constexpr uint64_t largest = UINT64_MAX;

hello sample_hello() {
  hello x;
  x.version_min = 1;
  x.version_max = 0x0203;
  x.abilities = 0x80000001;
  x.cluster = "prod";
  x.node.bytes.fill(0xab);
  x.member = "node-1";
  x.incarnation = 7;
  x.membership = largest;
  x.nonce.fill(0xcd);
  return x;
}

std::vector<frame> samples() {
  return {
    sample_hello(),
    proof{{1, 2, 3}},
    ping{},
    goodbye{close_reason::replaced, "by a newer link"},
    goodbye{close_reason_last, ""},
    message{heads{}},
    message{heads{true, {{1, {2, 3}, 4}, {largest, {largest, largest}, largest}}}},
    message{want{5, {6, 7}}},
    message{stop{8}},
    message{credit{largest}},
    message{data{}},
    message{data{9, {{{1, 2}, {0, 0}, 3, std::string{"\0\xff", 2}}, {{4, 5}, {6, 7}, 8, ""}}}},
    message{forgotten{{1, {2, 3}, 4}}},
    message{request{largest, 255, "question"}},
    message{response{0, "answer"}},
  };
}

std::string bytes_of(const frame& x) {
  std::string out;
  CAF_REQUIRE(append_frame(out, x));
  return out;
}

/// Reads as a link does: the head first.
std::optional<close_reason> read(std::string_view bytes, frame& out) {
  frame_head head;
  if (auto why = read_frame_head(bytes, frame_payload_max, head))
    return why;
  if (bytes.size() != frame_head_bytes + head.payload_bytes)
    return close_reason::malformed_frame;
  return read_frame(bytes, out);
}

/// A frame with any payload, its checksum right.
std::string forge(frame_type type, const std::string& payload) {
  std::string x{"Td\x01", 3};
  x.push_back(static_cast<char>(type));
  char length[4];
  store_big_endian(length, static_cast<uint32_t>(payload.size()));
  x.append(length, 4).append(8, '\0').append(payload);
  set_frame_checksum(x);
  return x;
}

} // namespace

CAF_TEST(every frame comes back as it was sent) {
  for (auto& x : samples()) {
    frame y;
    CAF_CHECK(!read(bytes_of(x), y));
    CAF_CHECK(x == y);
  }
}

CAF_TEST(frames are appended to what is there) {
  std::string out = "before";
  CAF_REQUIRE(append_frame(out, ping{}));
  CAF_CHECK_EQUAL(out.substr(0, 6), "before");
  CAF_CHECK_EQUAL(out.substr(6), bytes_of(ping{}));
}

CAF_TEST(a frame has the bytes that are documented) {
  auto x = bytes_of(message{stop{0x0102030405060708}});
  CAF_CHECK_EQUAL(x.size(), frame_head_bytes + 8);
  CAF_CHECK_EQUAL(x.substr(0, 8), (std::string{"Td\x01\x12\0\0\0\x08", 8}));
  CAF_CHECK_EQUAL(x.substr(16), "\x01\x02\x03\x04\x05\x06\x07\x08");
}

CAF_TEST(no frame can be cut or have a byte changed) {
  for (auto& x : samples()) {
    auto bytes = bytes_of(x);
    frame y;
    for (size_t n = 0; n < bytes.size(); ++n)
      CAF_CHECK(read(bytes.substr(0, n), y));
    CAF_CHECK(read(bytes + '\0', y));
    for (size_t n = 0; n < bytes.size(); ++n)
      for (auto mask : {0x01, 0x80}) {
        auto bad = bytes;
        bad[n] = static_cast<char>(bad[n] ^ mask);
        CAF_CHECK(read(bad, y));
      }
  }
}

CAF_TEST(the head alone refuses a length before anything is there) {
  frame_head head;
  auto claim = [&](uint32_t bytes, size_t most) {
    auto x = bytes_of(ping{}).substr(0, frame_head_bytes);
    store_big_endian(x.data() + 4, bytes);
    return read_frame_head(x, most, head);
  };
  CAF_CHECK(!claim(frame_payload_max, frame_payload_max));
  CAF_CHECK_EQUAL(head.payload_bytes, frame_payload_max);
  CAF_CHECK(claim(frame_payload_max + 1, frame_payload_max) == close_reason::frame_too_long);
  CAF_CHECK(claim(0x7fffffff, frame_payload_max) == close_reason::frame_too_long);
  CAF_CHECK(!claim(early_payload_max, early_payload_max));
  CAF_CHECK(claim(early_payload_max + 1, early_payload_max) == close_reason::frame_too_long);
}

CAF_TEST(what is no frame is told apart from what is damaged) {
  frame y;
  CAF_CHECK(read("GET / HTTP/1.1\r\nHost: x\r\n\r\n", y) == close_reason::not_a_frame);
  auto x = bytes_of(ping{});
  x[2] = 2;
  CAF_CHECK(read(x, y) == close_reason::not_a_frame);
  x = bytes_of(ping{});
  x[3] = 99;
  CAF_CHECK(read(x, y) == close_reason::malformed_frame);
  x = bytes_of(message{stop{1}});
  x.back() = 2;
  CAF_CHECK(read(x, y) == close_reason::bad_checksum);
}

CAF_TEST(names and texts are one line of UTF8) {
  std::string out;
  auto refused = [&out](auto change) {
    auto x = sample_hello();
    change(x);
    return !append_frame(out, x) && out.empty();
  };
  CAF_CHECK(refused([](hello& x) { x.cluster.clear(); }));
  CAF_CHECK(refused([](hello& x) { x.member.clear(); }));
  CAF_CHECK(refused([](hello& x) { x.member = "two\nlines"; }));
  CAF_CHECK(refused([](hello& x) { x.member = "\xff"; }));
  CAF_CHECK(refused([](hello& x) { x.cluster.assign(256, 'x'); }));
  CAF_CHECK(!append_frame(out, goodbye{close_reason::silent, "two\nlines"}));
  CAF_CHECK(!append_frame(out, goodbye{close_reason::silent, std::string(256, 'x')}));
}

CAF_TEST(what is too much is not written) {
  std::string out;
  CAF_CHECK(!append_frame(out, message{heads{true, std::vector<origin_head>(origins_max + 1)}}));
  CAF_CHECK(!append_frame(out, message{data{1, std::vector<replica>(records_max + 1)}}));
  CAF_CHECK(!append_frame(out, message{response{1, std::string(frame_payload_max, 'x')}}));
  CAF_CHECK_EQUAL(out, "");
  CAF_CHECK(append_frame(out, message{heads{true, std::vector<origin_head>(origins_max)}}));
  CAF_CHECK(append_frame(out, message{data{1, std::vector<replica>(records_max)}}));
}

CAF_TEST(the longest record fits whatever its numbers are) {
  replica x{{largest, largest}, {largest, largest}, largest, std::string(replica_bytes_max, 'x')};
  frame y;
  auto bytes = bytes_of(message{data{largest, {x}}});
  CAF_CHECK(bytes.size() <= frame_head_bytes + frame_payload_max);
  CAF_CHECK(!read(bytes, y));
  CAF_CHECK(std::get<data>(std::get<message>(y)).records.front() == x);
}

CAF_TEST(random bytes behind a good head are refused or mean something) {
  auto given = std::getenv("TIDINGS_SEED");
  auto seed = given ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  CAF_MESSAGE("TIDINGS_SEED=" << seed);
  std::mt19937_64 random{seed};
  for (auto& x : samples())
    for (int round = 0; round < 500; ++round) {
      auto bytes = bytes_of(x);
      for (int i = 0; i < 3; ++i)
        if (bytes.size() > frame_head_bytes)
          bytes[frame_head_bytes + random() % (bytes.size() - frame_head_bytes)] =
            static_cast<char>(random());
      set_frame_checksum(bytes);
      frame y;
      if (!read(bytes, y))
        CAF_CHECK_EQUAL(bytes_of(y), bytes);
    }
}

CAF_TEST(a count that the bytes cannot hold is refused before anything is allocated) {
  for (auto [type, most] :
       {std::pair{frame_type::heads, origins_max}, std::pair{frame_type::data, records_max}}) {
    for (uint64_t count :
         {uint64_t{2}, uint64_t{most}, uint64_t{most} + 1, uint64_t{1} << 40, largest}) {
      std::string payload(type == frame_type::heads ? 1 : 8, '\0');
      append_varint(payload, count);
      payload.append(20, '\0'); // one at most
      auto bytes = forge(type, payload);
      frame y;
      largest_allocation = 0;
      auto why = read(bytes, y);
      CAF_CHECK(largest_allocation < 100);
      CAF_CHECK(why == close_reason::malformed_frame);
    }
  }
}

CAF_TEST(more than a message may have is refused although it is all there) {
  auto most = [](frame_type type, size_t head_bytes, size_t each_bytes, size_t count) {
    std::string payload(head_bytes, '\0');
    append_varint(payload, count);
    payload.append(count * each_bytes, '\0');
    frame x;
    return read(forge(type, payload), x);
  };
  CAF_CHECK(!most(frame_type::heads, 1, 18, origins_max));
  CAF_CHECK(most(frame_type::heads, 1, 18, origins_max + 1) == close_reason::malformed_frame);
  CAF_CHECK(!most(frame_type::data, 8, 13, records_max));
  CAF_CHECK(most(frame_type::data, 8, 13, records_max + 1) == close_reason::malformed_frame);
}
