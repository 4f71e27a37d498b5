#include "http/handlers/connections.hpp"

#include "actors/views/view_merge.hpp"
#include "http/handlers/asking.hpp"
#include "http/handlers/views.hpp"
#include "http/problem.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

namespace tidings::http {

namespace {

result<view_request> parse_listing(const request& x, const std::string& self) {
  if (auto why = x.query.check_names({"limit", "after", "topic", "of", "scope"}))
    return *why;
  connection_query query;
  auto limit = parse_list_limit(x, 0);
  if (!limit)
    return limit.error();
  query.limit = *limit;
  query.topic = x.query.first("topic").value_or("");
  if (!query.topic.empty())
    if (auto why = validate_topic(query.topic))
      return *why;
  query.user = x.query.first("of").value_or("");
  view_request y;
  y.what = std::move(query);
  if (auto text = x.query.first("after")) {
    auto after = connection_name::parse(*text, self);
    if (!after)
      return failure{errc::invalid_parameter, "after: the id of a connection"};
    y.after = std::move(*after);
  }
  auto only = parse_scope(x, self);
  if (!only)
    return only.error();
  y.only = std::move(*only);
  return y;
}

/// `a,b` as `"a","b"`: no name holds a comma.
void append_names(std::string& out, std::string_view names) {
  for (auto at = names.find(','); at != names.npos; at = names.find(',')) {
    append_json_string(out, names.substr(0, at));
    out += ',';
    names.remove_prefix(at + 1);
  }
  append_json_string(out, names);
}

void append_connection(std::string& out, const std::string& member, const connection_info& x) {
  out += "{\"id\":\"" + connection_name{member, x.id}.to_string() + "\",\"address\":";
  append_json_string(out, x.address);
  if (!member.empty()) {
    out += ",\"member\":";
    append_json_string(out, member);
  }
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
  out += ']';
  if (x.truncated)
    out += ",\"truncated\":true";
  out += ",\"since\":\"" + format_rfc3339(x.since_ms) + "\",\"state\":";
  append_json_string(out, x.state);
  out += ",\"position\":";
  append_json_string(out, x.cursor);
  out += ",\"events\":" + std::to_string(x.events) + ",\"bytes\":" + std::to_string(x.bytes)
         + ",\"dropped\":" + std::to_string(x.dropped) + '}';
}

class connection_listing : public asking {
public:
  void begin(session& s, request& x) override {
    auto what = parse_listing(x, s.local_shard().member());
    if (!what)
      return s.respond(problem(what.error()));
    auto limit = std::get<connection_query>(what->what).limit;
    s.local_shard().others().look(std::move(*what),
                                  later(s, [limit](session& to, result<view_parts> parts) {
                                    if (!parts)
                                      return to.respond(problem(parts.error()));
                                    to.respond(render(std::move(*parts), limit));
                                  }));
  }

private:
  static response render(view_parts parts, size_t limit) {
    std::string members;
    append_members(members, parts);
    auto view = merge_connections(std::move(parts), limit);
    std::string out = "{\"connections\":[";
    for (auto& x : view.rows) {
      if (out.back() != '[')
        out += ',';
      append_connection(out, x.member, x.what);
    }
    out += "],\"more\":";
    out += view.more ? "true" : "false";
    out += ",\"total\":" + std::to_string(view.total) + members + "}\n";
    return json_response(std::move(out));
  }
};

class connection_closing : public asking {
public:
  void begin(session& s, request& x) override {
    auto text = x.raw_path.substr(x.raw_path.rfind('/') + 1);
    auto name = connection_name::parse(text, s.local_shard().member());
    if (!name)
      return s.respond(problem(unknown()));
    view_request what;
    what.what = close_order{name->id};
    what.only = std::move(name->member);
    s.local_shard().others().look(std::move(what),
                                  later(s, [](session& to, result<view_parts> parts) {
                                    response closed;
                                    closed.status = 204;
                                    auto why = parts ? check(*parts) : parts.error();
                                    to.respond(why ? problem(*why) : closed);
                                  }));
  }

private:
  static failure unknown() {
    return {errc::not_found, "there is no such connection"};
  }

  static status check(const view_parts& parts) {
    if (parts.empty())
      return unknown();
    auto& x = parts.front();
    switch (x.state) {
      case member_state::ok:
        return std::get<bool>(x.answer) ? status{} : unknown();
      case member_state::overloaded:
        return failure{errc::overloaded, "member " + x.member + " is asked too much at once"};
      default:
        return failure{errc::member_unreachable,
                       "member " + x.member
                         + ", which has the connection, did not answer: it may have been closed; "
                           "repeat it to be sure"};
    }
  }
};

} // namespace

std::shared_ptr<exchange> make_list_connections() {
  return std::make_shared<connection_listing>();
}

std::shared_ptr<exchange> make_close_connection() {
  return std::make_shared<connection_closing>();
}

} // namespace tidings::http
