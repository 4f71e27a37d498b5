#include "http/stream_parameters.hpp"

#include "http/gate.hpp"
#include "tidings/cursor.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <algorithm>

namespace tidings::http {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

failure bad_parameter(std::string detail) {
  return {errc::invalid_parameter, std::move(detail)};
}

// -- what ----------------------------------------------------------------------------------------

status add_pattern(std::vector<topic_pattern>& to, std::string_view text,
                   const limits_config& limits) {
  if (to.size() == limits.topics_per_stream)
    return bad_parameter("a stream can ask for at most " + std::to_string(limits.topics_per_stream)
                         + " topics and patterns");
  auto x = topic_pattern::parse(text);
  if (!x)
    return x.error();
  to.push_back(std::move(*x));
  return std::nullopt;
}

/// `type=a&type=b`: types hold commas.
result<std::vector<std::string>> parse_types(const request& x, const limits_config& limits) {
  std::vector<std::string> types;
  for (auto text : x.query.all("type")) {
    if (text.empty() || types.size() == limits.topics_per_stream)
      return bad_parameter("a stream can ask for up to " + std::to_string(limits.topics_per_stream)
                           + " types, none of them empty");
    types.emplace_back(text);
  }
  return types;
}

/// A user's own stream: what is sent to them and to everyone, and the changes in their mailbox.
result<subscription_ptr> parse_user_subscription(const request& x, const limits_config& limits) {
  for (auto name : {"topic", "topics"})
    if (x.query.first(name))
      return bad_parameter(std::string{"a user's stream has its own topics: "} + name
                           + " makes no sense here");
  auto user = user_of_path(x);
  if (!user)
    return user.error();
  if (!may_open(x.who, *user))
    return lacking(x.who, "this is another user's stream");
  std::vector<topic_pattern> patterns;
  for (auto& topic : {user_topic(*user), std::string{everyone_topic}, mailbox_topic(*user)})
    patterns.push_back(*topic_pattern::parse(topic));
  auto types = parse_types(x, limits);
  if (!types)
    return types.error();
  return std::make_shared<const subscription>(std::move(patterns), std::nullopt, std::move(*types));
}

result<subscription_ptr> parse_subscription(const request& x, const limits_config& limits) {
  if (x.raw_path.starts_with("/users/"))
    return parse_user_subscription(x, limits);
  std::vector<topic_pattern> patterns;
  if (x.raw_path.starts_with("/topics/")) {
    auto topic = topic_of_path(x.raw_path);
    if (!topic)
      return topic.error();
    if (auto why = add_pattern(patterns, *topic, limits))
      return *why;
  }
  for (auto& [name, value] : x.query) {
    if (name == "topic") {
      if (auto why = add_pattern(patterns, value, limits))
        return *why;
    } else if (name == "topics") {
      auto rest = std::string_view{value};
      while (true) {
        auto end = std::min(rest.find(','), rest.size());
        if (auto why = add_pattern(patterns, rest.substr(0, end), limits))
          return *why;
        if (end == rest.size())
          break;
        rest.remove_prefix(end + 1);
      }
    }
  }
  // Who signed in hears what is sent to them, whatever else they name.
  if (x.raw_path == "/events" && !patterns.empty() && x.who && !x.who->user.empty())
    for (auto& topic : {user_topic(x.who->user), std::string{everyone_topic}})
      patterns.push_back(*topic_pattern::parse(topic));
  auto types = parse_types(x, limits);
  if (!types)
    return types.error();
  return readable_part(x, std::move(patterns), std::move(*types));
}

// -- where ---------------------------------------------------------------------------------------

/// What cannot be a cursor of any version goes no further than this.
from_cursor to_cursor(std::string_view text) {
  auto possible =
    text.size() <= cursor::text_bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.'
             || c == '_' || c == '-';
    });
  return {possible ? std::string{text} : std::string{}};
}

/// An offset's plus sign that came through a query unescaped is a space by now.
std::optional<int64_t> parse_time(std::string_view text) {
  std::string time{text};
  std::replace(time.begin() + std::min<ptrdiff_t>(11, std::ssize(time)), time.end(), ' ', '+');
  return parse_rfc3339(time);
}

result<start_point> parse_point(std::string_view name, std::string_view text, int64_t now_ms) {
  if (text.empty())
    return bad_parameter(std::string{name} + " must not be empty");
  if (text == "earliest")
    return start_point{from_earliest{}};
  if (text == "now")
    return start_point{from_now{}};
  if (auto ago = parse_duration(text))
    return start_point{from_time{std::max<int64_t>(0, now_ms - ago->count())}};
  if (auto time = parse_time(text))
    return start_point{from_time{*time}};
  if (!text.starts_with("c1.") && !text.starts_with("e1."))
    return bad_parameter(std::string{name}
                         + " must be an id, earliest, now, a duration or an RFC 3339 time");
  return start_point{to_cursor(text)};
}

/// The header wins over `last_event_id`, and that over `since`: on a reconnect a browser sends the
/// header while the rest of the request stays as it was.
result<start_point> parse_start(const request& x, start_point otherwise, int64_t now_ms) {
  if (auto known = resume_point(x))
    return std::move(*known);
  if (auto since = x.query.first("since"))
    return parse_point("since", *since, now_ms);
  return otherwise;
}

// -- how -----------------------------------------------------------------------------------------

result<bool> parse_switch(const request& x, std::string_view name) {
  auto text = x.query.first(name).value_or("false");
  if (text == "true" || text == "1")
    return true;
  if (text == "false" || text == "0")
    return false;
  return bad_parameter(std::string{name} + " must be true or false");
}

} // namespace

result<subscription_ptr> readable_part(const request& x, std::vector<topic_pattern> patterns,
                                       std::vector<std::string> types) {
  if (!x.who || x.who->how == caller::way::open)
    return std::make_shared<const subscription>(std::move(patterns), std::nullopt,
                                                std::move(types));
  auto& rights = x.who->subscribe;
  for (auto& pattern : patterns)
    if (pattern.is_exact() && !rights.permits(pattern.text()))
      return lacking(x.who, "you may not read '" + for_log(pattern.text()) + "'");
  auto narrow = std::all_of(patterns.begin(), patterns.end(), [](auto& p) { return p.is_exact(); });
  if (rights.key().empty() && (patterns.empty() || !narrow))
    return lacking(x.who, "you may not read anything");
  return std::make_shared<const subscription>(std::move(patterns), rights, std::move(types));
}

std::optional<start_point> resume_point(const request& x) {
  if (auto id = x.field("Last-Event-ID"); !id.empty())
    return start_point{to_cursor(id)};
  for (auto name : {"last_event_id", "lastEventId"})
    if (auto id = x.query.first(name); id && !id->empty())
      return start_point{to_cursor(*id)};
  return std::nullopt;
}

result<stream_parameters> parse_stream_parameters(const request& x, representation form,
                                                  const limits_config& limits, int64_t now_ms) {
  if (auto why = x.query.check_names({"since", "last_event_id", "lastEventId", "envelope",
                                      "heartbeat", "heartbeat_shape", "overflow"},
                                     {"topic", "topics", "type"}))
    return *why;
  stream_parameters y;
  auto who = parse_subscription(x, limits);
  if (!who)
    return who.error();
  y.who = std::move(*who);
  auto start = parse_start(x, from_now{}, now_ms);
  if (!start)
    return start.error();
  y.start = std::move(*start);
  auto envelope = parse_switch(x, "envelope");
  if (!envelope)
    return envelope.error();
  if (form == representation::ndjson)
    y.format = wire_format::ndjson;
  else if (*envelope)
    y.format = wire_format::sse_envelope;
  if (auto text = x.query.first("heartbeat")) {
    y.heartbeat = parse_duration(*text);
    if (!y.heartbeat || *y.heartbeat < seconds{1} || *y.heartbeat > minutes{5})
      return bad_parameter("heartbeat must be a duration from 1s to 5m");
  }
  if (auto text = x.query.first("heartbeat_shape")) {
    if (*text == "comment")
      y.shape = heartbeat_shape::comment;
    else if (*text == "event")
      y.shape = heartbeat_shape::event;
    else
      return bad_parameter("heartbeat_shape must be comment or event");
  }
  if (auto text = x.query.first("overflow")) {
    if (*text == "catch_up")
      y.overflow = overflow_policy::catch_up;
    else if (*text == "drop_oldest")
      y.overflow = overflow_policy::drop_oldest;
    else if (*text == "drop_newest")
      y.overflow = overflow_policy::drop_newest;
    else if (*text == "disconnect")
      y.overflow = overflow_policy::disconnect;
    else
      return bad_parameter("overflow must be catch_up, drop_oldest, drop_newest or disconnect");
  }
  return y;
}

result<page_parameters> parse_page_parameters(const request& x, const limits_config& limits,
                                              int64_t now_ms) {
  if (auto why = x.query.check_names(
        {"since", "last_event_id", "lastEventId", "until", "limit", "reverse", "wait"},
        {"topic", "topics", "type"}))
    return *why;
  page_parameters y;
  auto who = parse_subscription(x, limits);
  if (!who)
    return who.error();
  y.page.who = std::move(*who);
  auto since = parse_start(x, from_earliest{}, now_ms);
  if (!since)
    return since.error();
  y.page.since = std::move(*since);
  if (auto text = x.query.first("until")) {
    auto until = parse_point("until", *text, now_ms);
    if (!until)
      return until.error();
    y.page.until = std::move(*until);
  }
  if (auto text = x.query.first("limit")) {
    auto limit = parse_unsigned(*text);
    if (!limit || *limit == 0 || *limit > limits.page_records)
      return bad_parameter("limit must be a number from 1 to "
                           + std::to_string(limits.page_records));
    y.page.limit = *limit;
  }
  y.page.limit = std::min<size_t>(y.page.limit, limits.page_records);
  auto reverse = parse_switch(x, "reverse");
  if (!reverse)
    return reverse.error();
  y.page.reverse = *reverse;
  if (auto text = x.query.first("wait")) {
    auto wait = parse_duration(*text);
    if (!wait || *wait > limits.wait_max)
      return bad_parameter("wait must be a duration up to " + format_duration(limits.wait_max));
    if (wait->count() != 0 && (y.page.reverse || y.page.until))
      return bad_parameter("wait makes no sense with reverse or until");
    y.wait = *wait;
  }
  return y;
}

} // namespace tidings::http
