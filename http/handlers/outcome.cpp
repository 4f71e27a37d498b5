#include "http/handlers/outcome.hpp"

#include "http/problem.hpp"
#include "tidings/cursor.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <algorithm>

namespace tidings::http {

namespace {

/// The members of a result, without braces.
void append_members(std::string& out, const publish_item& x, bool is_member) {
  auto& outcome = x.outcome;
  out += "\"id\":";
  if (outcome.origin.sequence == 0) {
    out += "null";
  } else {
    out += '"';
    event_id{outcome.node, outcome.origin}.append_to(out, is_member);
    out += '"';
  }
  out += ",\"topic\":";
  append_json_string(out, x.topic);
  if (outcome.time_ms != 0) {
    out += ",\"time\":\"";
    out += format_rfc3339(outcome.time_ms);
    out += '"';
  }
  out += ",\"level\":\"";
  out += to_string(outcome.level);
  out += "\",\"nodes\":";
  out += std::to_string(outcome.nodes);
  out += ",\"subscribers\":";
  out += std::to_string(x.subscribers);
  if (outcome.duplicate)
    out += ",\"duplicate\":true";
}

unsigned status_of_outcome(const publish_item& x) {
  if (x.outcome.duplicate)
    return 200;
  return x.outcome.level == durability::none ? 202 : 201;
}

} // namespace

response render_outcome(const publish_item& x, bool is_member) {
  if (x.outcome.refused)
    return problem(*x.outcome.refused);
  response answer;
  answer.status = status_of_outcome(x);
  answer.content_type = "application/json";
  answer.body.reserve(256);
  answer.body = "{";
  append_members(answer.body, x, is_member);
  answer.body += "}\n";
  return answer;
}

response render_outcomes(const publish_request& x, bool is_member) {
  std::vector<item_failure> refused;
  for (size_t i = 0; i < x.items.size(); ++i)
    if (x.items[i].outcome.refused)
      refused.push_back({i, *x.items[i].outcome.refused});
  if (!refused.empty())
    return batch_problem(refused);
  response answer;
  answer.content_type = "application/json";
  answer.status = 200;
  auto lowest = durability::quorum;
  answer.body = "{\"results\":[";
  for (auto& item : x.items) {
    if (answer.body.back() != '[')
      answer.body += ',';
    answer.body += '{';
    append_members(answer.body, item, is_member);
    answer.body += '}';
    answer.status = std::max(answer.status, status_of_outcome(item));
    lowest = std::min(lowest, item.outcome.level);
  }
  answer.body += "],\"level\":\"";
  answer.body += to_string(lowest);
  answer.body += "\"}\n";
  return answer;
}

void append_outcome_line(std::string& out, const publish_item& x, bool is_member, uint64_t index) {
  if (x.outcome.refused)
    return append_refusal_line(out, *x.outcome.refused, index);
  out += '{';
  append_members(out, x, is_member);
  out += "}\n";
}

void append_refusal_line(std::string& out, const failure& why, uint64_t index) {
  out += "{\"index\":";
  out += std::to_string(index);
  out += ",\"code\":\"";
  out += to_string(why.code);
  out += "\",\"detail\":";
  append_json_string(out, why.detail);
  out += ",\"status\":";
  out += std::to_string(status_of(why.code));
  out += "}\n";
}

} // namespace tidings::http
