#include "actors/connection/stream_profile.hpp"

#include "tidings/sse.hpp"
#include "tidings/text.hpp"

#include <cstdio>

namespace tidings {

namespace {

/// Appends what `write` appends, as one HTTP/1.1 chunk if the profile wants that.
template <class F>
void framed(std::string& out, const stream_profile& p, F write) {
  if (!p.chunked) {
    write(out);
    return;
  }
  std::string body;
  write(body);
  if (body.empty()) // an empty chunk would end the response
    return;
  char head[20];
  auto n = std::snprintf(head, sizeof head, "%zx\r\n", body.size());
  out.append(head, static_cast<size_t>(n));
  out += body;
  out += "\r\n";
}

milliseconds retry_between(const stream_profile& p, double dice) {
  auto range = static_cast<double>((p.retry_max - p.retry_min).count());
  return p.retry_min + milliseconds{static_cast<int64_t>(range * dice)};
}

} // namespace

stream_profile make_profile(const config& cfg, wire_format format, bool chunked) {
  stream_profile p;
  p.format = format;
  p.chunked = chunked;
  p.heartbeat = cfg.stream.heartbeat;
  p.heartbeat_event = cfg.stream.heartbeat_event;
  p.heartbeat_data = cfg.stream.heartbeat_data;
  p.heartbeat_interval = cfg.stream.heartbeat_interval;
  p.max_age = cfg.stream.max_age;
  p.retry_min = cfg.stream.retry_min;
  p.retry_max = cfg.stream.retry_max;
  p.write_timeout = cfg.limits.write_timeout;
  p.queue_events = cfg.stream.queue_events;
  p.chunk_bytes = cfg.stream.chunk_bytes;
  return p;
}

void adopt(stream_profile& to, const profile_settings& from) {
  to.heartbeat = from.heartbeat;
  to.heartbeat_event = from.heartbeat_event;
  if (from.heartbeat == heartbeat_shape::event)
    to.heartbeat_data = from.heartbeat_data;
  else
    to.heartbeat_comment = from.heartbeat_data;
  to.heartbeat_interval = from.heartbeat_interval;
  to.timing = from.timing;
  to.overflow = from.overflow;
  to.queue_events = from.queue_events;
  to.first_event = from.first_event;
}

void append_raw(std::string& out, const stream_profile& p, std::string_view bytes) {
  framed(out, p, [&](std::string& body) { body += bytes; });
}

void append_first_event(std::string& out, const stream_profile& p, std::string_view client) {
  std::string json = "{\"client_id\":";
  append_json_string(json, client);
  json += '}';
  append_control(out, p, {}, p.first_event, json);
}

void append_control(std::string& out, const stream_profile& p, std::string_view id,
                    std::string_view name, std::string_view json) {
  framed(out, p, [&](std::string& body) {
    if (p.format != wire_format::ndjson) {
      sse::append_event(body, id, name, json);
      return;
    }
    body += "{\"event\":";
    append_json_string(body, name);
    if (!id.empty()) {
      body += ",\"id\":";
      append_json_string(body, id);
    }
    body += ",\"data\":";
    body += json;
    body += "}\n";
  });
}

void append_heartbeat(std::string& out, const stream_profile& p, std::string_view id) {
  framed(out, p, [&](std::string& body) {
    if (p.format == wire_format::ndjson)
      body += '\n';
    else if (p.heartbeat == heartbeat_shape::event)
      sse::append_event(body, id, p.heartbeat_event, p.heartbeat_data);
    else {
      if (id.empty() || !p.heartbeat_comment.empty())
        sse::append_comment(body, p.heartbeat_comment);
      sse::append_position(body, id);
    }
  });
}

void append_opening(std::string& out, const stream_profile& p, double dice) {
  framed(out, p, [&](std::string& body) {
    if (p.format != wire_format::ndjson)
      sse::append_retry(body, retry_between(p, dice));
  });
}

void append_position(std::string& out, const stream_profile& p, std::string_view id) {
  framed(out, p, [&](std::string& body) {
    if (p.format != wire_format::ndjson)
      sse::append_position(body, id);
  });
}

void append_end(std::string& out, const stream_profile& p) {
  if (p.chunked)
    out += "0\r\n\r\n";
}

} // namespace tidings
