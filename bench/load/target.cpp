#include "target.hpp"

#include "options.hpp"

#include <cstdio>

namespace bench {

target target::from(options& opts) {
  target x;
  x.name = opts.text("target", "tidings");
  if (x.name == "tidings")
    x.kind = target_kind::tidings;
  else if (x.name == "floor")
    x.kind = target_kind::floor;
  else if (x.name == "nchan")
    x.kind = target_kind::nchan;
  else
    fail("--target is tidings, floor or nchan");
  x.port = static_cast<uint16_t>(opts.number("port", 0));
  if (x.port == 0 && opts.mode() != "sync")
    fail("--port is missing");
  return x;
}

std::string target::subscribe_request(std::string_view topic, std::string_view since) const {
  std::string text = kind == target_kind::nchan ? "GET /sub?id=" : "GET /events?topics=";
  text += topic;
  if (!since.empty()) {
    text += "&since=";
    text += since;
  }
  text += " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n";
  return text;
}

std::string target::resume_request(std::string_view topic, std::string_view last_id) const {
  auto text = subscribe_request(topic, {});
  if (!last_id.empty()) {
    text.resize(text.size() - 2);
    text += "Last-Event-ID: ";
    text += last_id;
    text += "\r\n\r\n";
  }
  return text;
}

std::string target::mailbox_request(std::string_view user) const {
  std::string text = "GET /users/";
  text += user;
  text += "/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n";
  return text;
}

std::string target::publish_head(std::string_view topic, std::string_view ack,
                                 size_t body_bytes) const {
  std::string text = kind == target_kind::nchan ? "POST /pub?id=" : "POST /topics/";
  text += topic;
  if (kind == target_kind::tidings && !ack.empty()) {
    text += "?ack=";
    text += ack;
  }
  text += " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: ";
  text += std::to_string(body_bytes);
  text += "\r\n\r\n";
  return text;
}

std::string topic_name(std::string_view base, uint64_t topics, uint64_t index) {
  std::string name{base};
  if (topics > 1) {
    char digits[24];
    std::snprintf(digits, sizeof(digits), ":%06llu",
                  static_cast<unsigned long long>(index % topics));
    name += digits;
  }
  return name;
}

} // namespace bench
