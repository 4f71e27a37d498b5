// CloudEvents in all three modes. Parts: fields of the request, one `name:value` per line, and the
// body.

#include "fuzz/check_publication.hpp"
#include "http/cloud_events.hpp"
#include "support/make_request.hpp"

void tidings::fuzz::run(std::string_view input) {
  static const limits_config limits;
  parts all{input};
  auto head = all.next();
  std::string body{all.rest()};
  auto with_fields = [&] {
    auto x = test::make_request("/events", {}, body);
    auto rest = head;
    while (!rest.empty()) {
      auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      auto colon = line.find(':');
      // The rest cannot come out of the request rules.
      if (colon == line.npos || colon == 0 || !is_single_line(line) || line.size() > 1000)
        continue;
      auto name = line.substr(0, colon);
      auto value = line.substr(colon + 1);
      x->fields.insert(boost::beast::string_view{name.data(), name.size()},
                       boost::beast::string_view{value.data(), value.size()});
    }
    return x;
  };
  if (auto x = http::parse_cloud_event(**with_fields(), limits))
    check_publication(*x);
  if (auto x = http::parse_binary_cloud_event(**with_fields(), limits))
    check_publication(*x);
  auto batch = http::parse_cloud_event_batch(**with_fields(), limits);
  if (batch.ok())
    for (auto& x : batch.items)
      check_publication(x);
}
