#include "http/handlers/operations.hpp"

#include "http/handlers/asking.hpp"
#include "http/problem.hpp"
#include "http/refusal.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <charconv>

namespace tidings::http {

namespace {

constexpr size_t list_limit_default = 100;
constexpr size_t list_limit_max = 1000;

std::optional<uint64_t> parse_id(std::string_view text) {
  uint64_t x = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), x, 16);
  if (text.size() != 16 || ec != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return x;
}

result<size_t> parse_limit(const request& x) {
  auto text = x.query.first("limit");
  if (!text)
    return list_limit_default;
  auto n = parse_unsigned(*text);
  if (!n || *n == 0 || *n > list_limit_max)
    return failure{errc::invalid_parameter,
                   "limit: a number from 1 to " + std::to_string(list_limit_max)};
  return static_cast<size_t>(*n);
}

class connection_listing : public asking {
public:
  void begin(session& s, request& x) override {
    auto limit = parse_limit(x);
    if (!limit)
      return s.respond(problem(limit.error()));
    auto after = uint64_t{0};
    if (auto text = x.query.first("after")) {
      auto id = parse_id(*text);
      if (!id)
        return s.respond(problem({errc::invalid_parameter, "after: the id of a connection"}));
      after = *id;
    }
    auto n = *limit;
    s.local_shard().others().list_connections(after, n + 1,
                                              later(s, [n](session& to, connection_list xs) {
                                                to.respond(render(xs, n, *to.broker().store));
                                              }));
  }

private:
  /// `a,b` as `"a","b"`: no name holds a comma.
  static void append_names(std::string& out, std::string_view names) {
    for (auto at = names.find(','); at != names.npos; at = names.find(',')) {
      append_json_string(out, names.substr(0, at));
      out += ',';
      names.remove_prefix(at + 1);
    }
    append_json_string(out, names);
  }

  static response render(connection_list& xs, size_t limit, const event_store& store) {
    auto more = xs.size() > limit;
    if (more)
      xs.resize(limit);
    std::string out = "{\"connections\":[";
    for (auto& x : xs) {
      if (out.back() != '[')
        out += ',';
      out += "{\"id\":\"" + to_hex(x.id) + "\",\"address\":";
      append_json_string(out, x.address);
      if (!x.user.empty()) {
        out += ",\"user\":";
        append_json_string(out, x.user);
      }
      out += ",\"topics\":[";
      append_names(out, x.topics);
      if (!x.types.empty()) {
        out += "],\"types\":[";
        append_names(out, x.types);
      }
      out += "],\"since\":\"" + format_rfc3339(x.since_ms) + "\",\"state\":\"" + x.state
             + "\",\"position\":\"" + store.cursor_at(x.position).to_string()
             + "\",\"events\":" + std::to_string(x.events) + ",\"bytes\":" + std::to_string(x.bytes)
             + ",\"dropped\":" + std::to_string(x.dropped) + '}';
    }
    out += "],\"more\":";
    out += more ? "true" : "false";
    out += "}\n";
    return json_response(std::move(out));
  }
};

class connection_closing : public asking {
public:
  void begin(session& s, request& x) override {
    auto text = x.raw_path.substr(x.raw_path.rfind('/') + 1);
    auto id = parse_id(text);
    if (!id)
      return s.respond(problem({errc::not_found, "there is no such connection"}));
    s.local_shard().others().close_connection(
      *id, end_reason::closed, later(s, [](session& to, bool closed) {
        response r;
        r.status = 204;
        to.respond(closed ? r : problem({errc::not_found, "there is no such connection"}));
      }));
  }
};

class topic_listing : public asking {
public:
  void begin(session& s, request& x) override {
    auto limit = parse_limit(x);
    if (!limit)
      return s.respond(problem(limit.error()));
    topics_request what;
    what.limit = *limit + 1;
    what.after = x.query.first("after").value_or("");
    what.prefix = x.query.first("prefix").value_or("");
    auto n = *limit;
    s.local_shard().others().list_topics(
      std::move(what), later(s, [n](session& to, result<topic_summaries> xs) {
        to.respond(xs ? render(*xs, n, *to.broker().store) : problem(xs.error()));
      }));
  }

private:
  static response render(topic_summaries& xs, size_t limit, const event_store& store) {
    auto more = xs.size() > limit;
    if (more)
      xs.resize(limit);
    std::string out = "{\"topics\":[";
    for (auto& x : xs) {
      if (out.back() != '[')
        out += ',';
      out += "{\"topic\":";
      append_json_string(out, x.topic);
      out += ",\"events\":" + std::to_string(x.events) + ",\"bytes\":" + std::to_string(x.bytes)
             + ",\"last\":\"" + store.cursor_at(x.last).to_string() + '"';
      if (x.truncated)
        out += ",\"truncated\":true";
      out += '}';
    }
    out += "],\"next\":";
    if (more)
      append_json_string(out, xs.back().topic);
    else
      out += "null";
    out += "}\n";
    return json_response(std::move(out));
  }
};

std::string render_stats(session& s) {
  auto& b = s.broker();
  auto& x = *b.stats;
  auto store = b.store->statistics();
  std::string out = "{\"version\":\"" + b.version + "\",\"uptime_seconds\":";
  out += std::to_string((s.local_shard().clock().wall_ms() - b.started_ms) / 1000);
  auto number = [&](const char* name, uint64_t n) {
    out += ",\"";
    out += name;
    out += "\":" + std::to_string(n);
  };
  number("connected_clients", value(x.streams_open));
  number("active_topics", value(x.subscribed_topics));
  number("dropped_messages", value(x.dropped));
  number("connections", value(x.connections_open));
  number("published", value(x.published));
  number("duplicates", value(x.duplicates));
  number("refused", value(x.refused));
  number("delivered", value(x.delivered));
  number("replayed", value(x.replayed));
  number("gaps", value(x.gaps));
  number("resumes", value(x.resumes));
  number("commits", value(x.commits));
  number("topics_in_memory", value(x.topic_actors));
  number("last_position", to_integer(store.last));
  number("store_bytes", store.disk_bytes);
  number("free_bytes", store.free_bytes);
  return out + "}\n";
}

} // namespace

std::shared_ptr<exchange> make_front_page() {
  return make_answer([](session& s, const request&) {
    response x;
    x.content_type = "text/plain; charset=utf-8";
    x.body = "Tidings " + s.broker().version
             + "\n\n"
               "  subscribe   curl -N http://HOST/topics/hello\n"
               "  publish     curl -d 'good news' http://HOST/topics/hello\n\n"
               "  /healthz  /readyz  /metrics  /stats  /connections  /topics\n";
    return x;
  });
}

std::shared_ptr<exchange> make_healthz() {
  return make_answer(
    [](session&, const request&) { return json_response("{\"status\":\"ok\"}\n"); });
}

std::shared_ptr<exchange> make_readyz() {
  return make_answer([](session& s, const request&) {
    auto why = s.broker().not_ready();
    return why.empty()
             ? json_response("{\"status\":\"ready\"}\n")
             : json_response("{\"status\":\"not_ready\",\"reason\":\"" + why + "\"}\n", 503);
  });
}

std::shared_ptr<exchange> make_metrics() {
  return make_answer([](session& s, const request&) {
    response x;
    x.content_type = "text/plain; version=0.0.4; charset=utf-8";
    x.body = s.broker().metrics();
    return x;
  });
}

std::shared_ptr<exchange> make_stats() {
  return make_answer([](session& s, const request&) { return json_response(render_stats(s)); });
}

std::shared_ptr<exchange> make_list_connections() {
  return std::make_shared<connection_listing>();
}

std::shared_ptr<exchange> make_close_connection() {
  return std::make_shared<connection_closing>();
}

std::shared_ptr<exchange> make_list_topics() {
  return std::make_shared<topic_listing>();
}

} // namespace tidings::http
