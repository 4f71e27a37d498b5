// What a request costs before and after its handler: rules, target, answer.

#include "http/request_rules.hpp"
#include "http/response.hpp"
#include "http/target.hpp"
#include "measure.hpp"

using namespace tidings;

int main() {
  limits_config limits;
  const std::string curl =
    "POST /topics/orders HTTP/1.1\r\nHost: 127.0.0.1:7300\r\nUser-Agent: curl/7.88.1\r\n"
    "Accept: */*\r\nContent-Length: 12\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n\r\n";
  const std::string browser =
    "GET /events?topics=orders,order:17&since=10m HTTP/1.1\r\nHost: broker.example.com\r\n"
    "Connection: keep-alive\r\nsec-ch-ua: \"Chromium\";v=\"118\", \"Not=A?Brand\";v=\"99\"\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/118.0.0.0 Safari/537.36\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n"
    "Origin: https://app.example.com\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors\r\n"
    "Referer: https://app.example.com/\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-US,en;q=0.9\r\nLast-Event-ID: c1.AfQAAAAAAAAAAQIDBAUG\r\n\r\n";
  for (auto& [name, head] : {std::pair{"curl", &curl}, std::pair{"browser", &browser}}) {
    if (auto why = http::check_request_head(*head, limits)) {
      std::printf("%s\n", why->detail.c_str());
      return 1;
    }
    std::printf("%s: %zu bytes\n", name, head->size());
    bench::measure("  find_head_end", 200'000,
                   [h = head] { bench::keep(http::find_head_end(*h, 0)); });
    bench::measure("  check_request_head", 200'000,
                   [h = head, &limits] { bench::keep(http::check_request_head(*h, limits)); });
  }
  bench::measure("parse_target", 200'000, [] {
    bench::keep(http::parse_target("/events?topics=orders,order:17&since=10m"));
  });
  http::response answer;
  answer.status = 201;
  answer.content_type = "application/json";
  answer.body.assign(160, 'x');
  std::string out;
  bench::measure("append_response", 200'000, [&] {
    out.clear();
    http::append_response(out, answer, "Sun, 06 Nov 1994 08:49:37 GMT", true, false);
    bench::keep(out);
  });
}
