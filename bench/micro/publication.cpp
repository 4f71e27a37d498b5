// What it costs to turn the lines of an NDJSON publish into events.

#include "http/publication.hpp"

#include "measure.hpp"

using namespace tidings;

namespace {

std::string line_of(size_t size, std::string head, const std::string& tail) {
  if (head.size() + tail.size() < size)
    head.append(size - head.size() - tail.size(), 'x');
  return head + tail;
}

void measure_line(const char* name, const std::string& line) {
  limits_config limits;
  auto x = http::parse_object(line, limits);
  if (!x) {
    std::printf("%s: %s\n", name, x.error().detail.c_str());
    std::exit(1);
  }
  bench::measure(name, 20'000, [&] { bench::keep(http::parse_object(line, limits)); });
}

} // namespace

int main() {
  measure_line("line of 250 bytes, text",
               line_of(250, R"({"topic":"orders:17","data":")", R"("})"));
  measure_line(
    "line of 250 bytes, text, all fields",
    line_of(250, R"({"topic":"orders:17","type":"paid","id":"a-1","key":"k-1","ttl":"1h","data":")",
            R"("})"));
  measure_line(
    "line of 250 bytes, object",
    line_of(
      250,
      R"({"topic":"orders:17","type":"paid","data":{"total":12.5,"lines":[1,2,3],"currency":"EUR","customer":{"id":17,"name":"A"},"note":")",
      R"("}})"));
  measure_line("line of 250 bytes, two topics",
               line_of(250, R"({"topics":["orders","orders:17"],"type":"paid","data":")", R"("})"));
  measure_line("line of 60 bytes", line_of(60, R"({"topic":"t","data":")", R"("})"));
  measure_line("line of 4 KiB, text", line_of(4096, R"({"topic":"orders:17","data":")", R"("})"));
}
