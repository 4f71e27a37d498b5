#define CAF_SUITE event_lines

#include "load/event_lines.hpp"

#include <caf/test/dsl.hpp>

#include <vector>

namespace {

using namespace bench;

std::string event(const std::string& id, uint32_t number) {
  auto data = make_payload(40);
  write_mark(data.data(), {7, 3, number});
  return "id: " + id + "\nevent: x\ndata: " + data + "\n\n";
}

struct outcome {
  std::vector<uint32_t> numbers;
  event_lines lines;
};

outcome read(const std::string& text, size_t piece) {
  outcome x;
  for (size_t at = 0; at < text.size(); at += piece)
    x.lines.feed(std::string_view{text}.substr(at, piece),
                 [&](const payload_mark& mark) { x.numbers.push_back(mark.sequence); });
  return x;
}

CAF_TEST(reads events in pieces of any size) {
  auto text = "retry: 3000\n\nid: a\n\n: hi\n\nevent: tidings.ready\ndata: {}\n\n" + event("b", 1)
              + event("c", 2);
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    auto x = read(text, piece);
    CAF_REQUIRE_EQUAL(x.numbers.size(), 2u);
    CAF_CHECK_EQUAL(x.numbers[0], 1u);
    CAF_CHECK_EQUAL(x.numbers[1], 2u);
    CAF_CHECK_EQUAL(x.lines.last_id(), "c");
    CAF_CHECK_EQUAL(x.lines.gaps(), 0u);
  }
}

CAF_TEST(takes an id without data) {
  CAF_CHECK_EQUAL(read("id: a\n\n", 3).lines.last_id(), "a");
}

CAF_TEST(does not count an event that was cut short) {
  auto x = read(event("a", 1) + event("b", 2).substr(0, 60), 17);
  CAF_CHECK_EQUAL(x.numbers.size(), 1u);
  CAF_CHECK_EQUAL(x.lines.last_id(), "a");
  x.lines.cut();
  x.lines.feed("\n\n", [](const payload_mark&) { CAF_FAIL("an event out of nothing"); });
  CAF_CHECK_EQUAL(x.lines.last_id(), "a");
  // Comes back and gets it whole.
  uint32_t number = 0;
  x.lines.feed(event("b", 2), [&](const payload_mark& mark) { number = mark.sequence; });
  CAF_CHECK_EQUAL(number, 2u);
  CAF_CHECK_EQUAL(x.lines.last_id(), "b");
}

CAF_TEST(counts gaps) {
  auto x = read("id: a\nevent: tidings.gap\ndata: {}\n\n" + event("b", 9), 5);
  CAF_CHECK_EQUAL(x.lines.gaps(), 1u);
  CAF_CHECK_EQUAL(x.numbers.size(), 1u);
}

} // namespace
