#include "http/handlers/stats.hpp"

#include "actors/views/view_merge.hpp"
#include "http/handlers/asking.hpp"
#include "http/handlers/views.hpp"
#include "http/problem.hpp"
#include "tidings/text.hpp"

namespace tidings::http {

namespace {

/// Without the closing brace.
void append_numbers(std::string& out, const node_numbers& x) {
  out += "{\"version\":";
  append_json_string(out, x.version);
  out += ",\"uptime_seconds\":" + std::to_string(x.uptime_seconds);
  for (auto* list : {&x.counts, &x.sizes})
    for (auto& [name, n] : *list) {
      out += ',';
      append_json_string(out, name);
      out += ':' + std::to_string(n);
    }
}

class stats_showing : public asking {
public:
  void begin(session& s, request& x) override {
    if (auto why = x.query.check_names({"scope"}))
      return s.respond(problem(*why));
    auto only = parse_scope(x, s.local_shard().member());
    if (!only)
      return s.respond(problem(only.error()));
    view_request what;
    what.what = numbers_query{};
    what.only = std::move(*only);
    s.local_shard().others().look(
      std::move(what), later(s, [](session& to, result<view_parts> parts) {
        to.respond(parts ? render(*parts, to.local_shard().member()) : problem(parts.error()));
      }));
  }

private:
  /// The sums, with what cannot be added up as it is on the node that is asked, and the parts.
  static response render(const view_parts& parts, const std::string& self) {
    std::string out;
    for (auto& x : parts)
      if (x.member == self) {
        auto numbers = std::get<node_numbers>(x.answer);
        numbers.counts = add_counts(parts);
        append_numbers(out, numbers);
      }
    append_members(out, parts);
    if (!self.empty())
      append_parts(out, parts);
    return json_response(out + "}\n");
  }

  static void append_parts(std::string& out, const view_parts& parts) {
    auto separator = ",\"parts\":{";
    for (auto& x : parts) {
      if (x.state != member_state::ok)
        continue;
      out += std::exchange(separator, ",");
      append_json_string(out, x.member);
      out += ':';
      append_numbers(out, std::get<node_numbers>(x.answer));
      out += '}';
    }
    out += '}';
  }
};

} // namespace

std::shared_ptr<exchange> make_stats() {
  return std::make_shared<stats_showing>();
}

} // namespace tidings::http
