#include "http/handlers/operations.hpp"

#include "http/handlers/asking.hpp"
#include "http/handlers/views.hpp"
#include "http/problem.hpp"
#include "http/refusal.hpp"
#include "tidings/text.hpp"

namespace tidings::http {

namespace {

class topic_listing : public asking {
public:
  void begin(session& s, request& x) override {
    if (auto why = x.query.check_names({"prefix", "after", "limit"}))
      return s.respond(problem(*why));
    auto limit = parse_list_limit(x, 1);
    if (!limit)
      return s.respond(problem(limit.error()));
    topics_request what;
    what.limit = *limit + 1;
    what.after = x.query.first("after").value_or("");
    what.prefix = x.query.first("prefix").value_or("");
    auto n = *limit;
    s.local_shard().others().list_topics(std::move(what),
                                         later(s, [n](session& to, result<topic_summaries> xs) {
                                           to.respond(xs ? render(*xs, n) : problem(xs.error()));
                                         }));
  }

private:
  static response render(topic_summaries& xs, size_t limit) {
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
             + ",\"last\":\"" + x.last_at.to_string() + '"';
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

std::shared_ptr<exchange> make_list_topics() {
  return std::make_shared<topic_listing>();
}

} // namespace tidings::http
