#include "http/cloud_events.hpp"

#include "http/accept.hpp"
#include "http/json_scan.hpp"
#include "http/publication_draft.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <algorithm>
#include <cstring>
#include <map>

namespace tidings::http {

namespace {

constexpr size_t attribute_bytes_max = 4096;

failure refuse(std::string why) {
  return {errc::invalid_event, std::move(why)};
}

/// What decides how a CloudEvent is treated; all else travels in the data.
struct attributes {
  std::string id;
  std::string source;
  std::string type;
  std::string topic;
};

bool is_attribute_name(std::string_view x) noexcept {
  return !x.empty() && std::all_of(x.begin(), x.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

/// Checks one attribute and takes it over if it matters.
status take(attributes& to, const std::string& name, std::string_view text) {
  if (!is_attribute_name(name))
    return refuse("'" + for_log(name) + "' is not the name of a CloudEvents attribute");
  if (text.empty() || text.size() > attribute_bytes_max || !is_utf8(text) || !is_single_line(text))
    return refuse("the CloudEvents attribute '" + for_log(name)
                  + "' must be one line of 1 to 4096 bytes");
  if (name == "specversion" && text != "1.0")
    return refuse("only version 1.0 of CloudEvents is supported");
  if (name == "time" && !parse_rfc3339(text))
    return refuse("the CloudEvents attribute 'time' must be an RFC 3339 time");
  if (name == "id")
    to.id = text;
  else if (name == "source")
    to.source = text;
  else if (name == "type")
    to.type = text;
  else if (name == "topic")
    to.topic = text;
  return std::nullopt;
}

/// Completes a publication whose data is set.
result<publication> finish(publication_draft& draft, const attributes& x, const request& from,
                           const limits_config& limits) {
  if (x.id.empty() || x.source.empty() || x.type.empty())
    return refuse("a CloudEvent needs id, source, type and specversion");
  if (auto why = draft.set_type(x.type))
    return *why;
  if (auto why = draft.set_id(x.id))
    return *why;
  for (auto& [name, value] : from.query) {
    auto why = name == "topic"    ? draft.add_topic(value, limits)
               : name == "topics" ? draft.add_topics(value, limits)
               : name == "ttl"    ? draft.set_ttl(value)
               : name == "ack"    ? draft.set_level(value)
                                  : status{};
    if (why)
      return *why;
  }
  if (draft.made.content.topics.empty())
    if (auto why = draft.add_topic(x.topic.empty() ? x.type : x.topic, limits))
      return *why;
  if (auto text = from.field("X-Event-TTL"); !text.empty() && !draft.made.ttl)
    if (auto why = draft.set_ttl(text))
      return *why;
  if (auto text = from.field("X-Ack"); !text.empty() && !draft.made.level)
    if (auto why = draft.set_level(text))
      return *why;
  draft.made.content.kind = data_kind::json;
  auto made = draft.finish(limits);
  if (!made)
    return made;
  made->key = "c:";
  made->key += x.source;
  made->key += '\0';
  made->key += x.id;
  return made;
}

status check_query(const request& x) {
  return x.query.check_names({"ttl", "ack"}, {"topic", "topics"});
}

result<publication> parse_structured(std::string_view json, const request& from,
                                     const limits_config& limits) {
  auto members = scan_object(json);
  if (!members)
    return members.error();
  attributes found;
  auto version = false;
  auto data = 0;
  for (auto& x : *members) {
    if (x.name == "data") {
      ++data;
      continue;
    }
    if (x.name == "data_base64") {
      ++data;
      if (x.kind != json_kind::string || !from_base64(x.text()))
        return refuse("'data_base64' must be base64 text");
      continue;
    }
    if (x.kind == json_kind::null)
      continue; // as if it were not there
    auto known = x.name == "id" || x.name == "source" || x.name == "type" || x.name == "topic"
                 || x.name == "specversion" || x.name == "time" || x.name == "subject"
                 || x.name == "datacontenttype" || x.name == "dataschema";
    if (x.kind == json_kind::object || x.kind == json_kind::array
        || (known && x.kind != json_kind::string))
      return refuse("the CloudEvents attribute '" + for_log(x.name) + "' must be a string");
    if (auto why =
          take(found, x.name, x.kind == json_kind::string ? x.text() : std::string{x.source}))
      return *why;
    version |= x.name == "specversion";
  }
  if (!version)
    return refuse("a CloudEvent needs id, source, type and specversion");
  if (data > 1)
    return refuse("'data' and 'data_base64' exclude each other");
  publication_draft draft;
  auto whole = scan_value(json);
  whole->append_compact(draft.made.content.data);
  return finish(draft, found, from, limits);
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += out.empty() ? '{' : ',';
  append_json_string(out, name);
  out += ':';
  append_json_string(out, text);
}

} // namespace

result<publication> parse_cloud_event(request& x, const limits_config& limits) {
  if (auto why = check_query(x))
    return *why;
  return parse_structured(x.body, x, limits);
}

parsed_batch parse_cloud_event_batch(request& x, const limits_config& limits) {
  if (auto why = check_query(x)) {
    parsed_batch batch;
    batch.refused = std::move(why);
    return batch;
  }
  return parse_batch(x.body, limits,
                     [&](std::string_view item) { return parse_structured(item, x, limits); });
}

result<publication> parse_binary_cloud_event(request& x, const limits_config& limits) {
  if (auto why = check_query(x))
    return *why;
  std::map<std::string, std::string> values; // sorted: the same event always looks the same
  for (auto& field : *x.fields) {
    std::string name{field.name_string().data(), field.name_string().size()};
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (!name.starts_with("ce-"))
      continue;
    name.erase(0, 3);
    auto value = percent_decode({field.value().data(), field.value().size()});
    if (!value)
      return refuse("the header 'ce-" + for_log(name) + "' is not valid");
    if (name == "datacontenttype" || name == "data"
        || !values.emplace(name, std::move(*value)).second)
      return refuse("the header 'ce-" + for_log(name) + "' is repeated or not allowed");
  }
  attributes found;
  publication_draft draft;
  auto& out = draft.made.content.data;
  for (auto& [name, value] : values) {
    if (auto why = take(found, name, value))
      return *why;
    append_member(out, name, value);
  }
  if (!values.contains("specversion"))
    return refuse("a CloudEvent needs id, source, type and specversion");
  auto header = x.field("Content-Type");
  auto type = parse_media_type(header);
  if (!type || !is_utf8(header)) // it goes into the event
    return failure{errc::unsupported_media_type, "the Content-Type is malformed"};
  if (!header.empty())
    append_member(out, "datacontenttype", header);
  if (type->is_json()) {
    auto value = scan_value(x.body);
    if (!value)
      return value.error();
    out += ",\"data\":";
    value->append_compact(out);
  } else if (type->is_utf8() && is_utf8(x.body) && x.body.find('\0') == x.body.npos) {
    if (!x.body.empty())
      append_member(out, "data", x.body);
  } else {
    append_member(out, "data_base64", to_base64(x.body));
  }
  out += '}';
  return finish(draft, found, x, limits);
}

} // namespace tidings::http
