#include "tidings/batch.hpp"

#include "tidings/cursor.hpp"
#include "tidings/sse.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <algorithm>
#include <charconv>

namespace tidings {

namespace {

constexpr size_t envelope_overhead = 256; // about, beside the data

/// Appends valid JSON without its line breaks: they can only stand between tokens.
void append_json_line(std::string& out, std::string_view json) {
  auto begin = static_cast<std::ptrdiff_t>(out.size());
  out += json;
  std::replace(out.begin() + begin, out.end(), '\n', ' ');
  std::replace(out.begin() + begin, out.end(), '\r', ' ');
}

void append_id(std::string& out, std::string_view id) {
  if (id.empty())
    out += "null";
  else
    append_json_string(out, id);
}

std::string_view type_of(const envelope& x) noexcept {
  return x.type.empty() ? std::string_view{"message"} : x.type;
}

/// @param name with what stands around it
void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  append_json_string(out, value);
}

void append_time(std::string& out, std::string_view name, int64_t unix_ms) {
  out += name;
  out += '"';
  append_rfc3339(out, unix_ms);
  out += '"';
}

void append_mail(std::string& out, const mail_view& x) {
  append_member(out, ",\"title\":", x.title);
  append_member(out, ",\"message\":", x.message);
  append_member(out, ",\"priority\":", to_string(x.level));
}

/// The members of the data, which are the last that an event has.
void append_content(std::string& out, const envelope& x) {
  if (x.kind == data_kind::base64)
    out += ",\"encoding\":\"base64\"";
  out += ",\"data\":";
  if (x.kind == data_kind::json)
    append_json_line(out, x.data);
  else
    append_json_string(out, x.data);
}

size_t payload_bytes(const event& x) noexcept {
  auto sum = x.type.size() + x.id.size() + x.data.size();
  for (auto& topic : x.topics)
    sum += topic.size();
  if (x.mail)
    sum += x.mail->title.size() + x.mail->message.size();
  return sum;
}

void append_chunk_head(std::string& out, size_t size) {
  char digits[16];
  auto end = std::to_chars(digits, digits + sizeof digits, size, 16).ptr;
  out.append(digits, end);
  out += "\r\n";
}

} // namespace

void append_envelope_json(std::string& out, const envelope& x) {
  out += "{\"id\":";
  append_id(out, x.name);
  append_member(out, ",\"topic\":", x.topics.front());
  out += ",\"topics\":";
  auto separator = '[';
  for (auto topic : x.topics) {
    out += separator;
    append_json_string(out, topic);
    separator = ',';
  }
  append_member(out, "],\"type\":", type_of(x));
  append_time(out, ",\"time\":", x.time_ms);
  if (x.expires_at_ms != 0)
    append_time(out, ",\"expires\":", x.expires_at_ms);
  if (!x.event_id.empty())
    append_member(out, ",\"event_id\":", x.event_id);
  if (x.mail)
    append_mail(out, *x.mail);
  append_content(out, x);
  out += '}';
}

void append_item_json(std::string& out, const envelope& x, std::optional<item_state> state) {
  out += "{\"id\":";
  append_id(out, x.name);
  append_member(out, ",\"type\":", type_of(x));
  append_mail(out, x.mail ? *x.mail : mail_view{});
  append_time(out, ",\"created\":", x.time_ms);
  if (x.expires_at_ms != 0)
    append_time(out, ",\"expires\":", x.expires_at_ms);
  if (x.data.empty())
    out += ",\"data\":null";
  else
    append_content(out, x);
  if (state)
    append_member(out, ",\"state\":", to_string(*state));
  out += '}';
}

void append_notification_json(std::string& out, const envelope& x,
                              std::optional<std::string_view> missed_by) {
  auto mail = x.mail ? *x.mail : mail_view{};
  out += "{\"id\":";
  append_id(out, x.name);
  append_member(out, ",\"event_type\":", type_of(x));
  append_member(out, ",\"priority\":", to_string(mail.level));
  if (missed_by) {
    auto to_all = std::find(x.topics.begin(), x.topics.end(), everyone_topic) != x.topics.end();
    if (to_all)
      out += ",\"target_userid\":null";
    else
      append_member(out, ",\"target_userid\":", *missed_by);
  }
  append_time(out, ",\"created_at\":", x.time_ms);
  if (x.expires_at_ms != 0)
    append_time(out, ",\"expires_at\":", x.expires_at_ms);
  append_member(out, ",\"payload\":{\"title\":", mail.title);
  append_member(out, ",\"message\":", mail.message);
  if (!x.data.empty())
    append_content(out, x);
  out += "},\"is_recovered\":";
  out += missed_by ? "true}" : "false}";
}

void append_wire(std::string& out, wire_format format, const envelope& x) {
  switch (format) {
    case wire_format::sse:
      if (x.mail) {
        std::string json;
        json.reserve(x.data.size() + x.mail->message.size() + envelope_overhead);
        append_item_json(json, x);
        sse::append_event(out, x.id, x.type, json);
        break;
      }
      sse::append_event(out, x.id, x.type, x.data);
      break;
    case wire_format::sse_envelope: {
      std::string json;
      json.reserve(x.data.size() + envelope_overhead);
      append_envelope_json(json, x);
      sse::append_event(out, x.id, x.type, json);
      break;
    }
    case wire_format::ndjson:
      append_envelope_json(out, x);
      out += '\n';
      break;
    case wire_format::sse_data:
      sse::append_event(out, x.id, x.type, x.data);
      break;
    case wire_format::notification: {
      std::string json;
      json.reserve(x.data.size() + envelope_overhead);
      append_notification_json(json, x);
      sse::append_event(out, x.id, x.type, json);
      break;
    }
  }
}

committed_batch::committed_batch(cursor before, bool is_member, std::vector<record> records)
  : before_(std::move(before)), is_member_(is_member), records_(std::move(records)) {
  end_ = cursor_at(records_.size() - 1);
  // Once as records and about once as bytes for the wire.
  constexpr size_t wire_overhead = 64;
  weight_ = sizeof *this;
  for (auto& x : records_)
    weight_ += sizeof x + x.content.topics.size() * sizeof(std::string)
               + 2 * payload_bytes(x.content) + sizeof(span) + wire_overhead;
}

cursor committed_batch::cursor_at(size_t i) const {
  return batch_walk{*this}.cursor_at(i);
}

const committed_batch::encoded& committed_batch::as(wire_format format) const {
  auto i = static_cast<size_t>(format);
  std::call_once(once_[i], [&] { encode(format, encoded_[i]); });
  return encoded_[i];
}

void committed_batch::encode(wire_format format, encoded& to) const {
  size_t size = 0;
  for (auto& x : records_)
    size += payload_bytes(x.content) + envelope_overhead;
  to.bytes.reserve(size);
  to.spans.reserve(records_.size());
  auto position = before_;
  std::string id;
  std::string name;
  std::string frame;
  std::vector<std::string_view> topics;
  auto here = [&] { return static_cast<uint32_t>(to.bytes.size()); };
  for (auto& x : records_) {
    auto& what = x.content;
    id.clear();
    name.clear();
    if (!what.ephemeral) {
      position.set(x.node, x.origin);
      position.append_to(id);
      if (is_member_)
        event_id{x.node, x.origin}.append_to(name, true);
    }
    topics.assign(what.topics.begin(), what.topics.end());
    frame.clear();
    mail_view mail;
    if (what.mail)
      mail = {what.mail->title, what.mail->message, what.mail->level};
    if (!topics.empty()) // else nobody is sent it
      append_wire(frame, format,
                  {id, is_member_ ? name : id, topics, what.type, what.id, what.data, what.kind,
                   x.time_ms, what.expires_at_ms, what.mail ? &mail : nullptr});
    span at{};
    at.chunk_begin = here();
    append_chunk_head(to.bytes, frame.size());
    at.frame_begin = here();
    to.bytes += frame;
    at.frame_end = here();
    to.bytes += "\r\n";
    at.chunk_end = here();
    to.spans.push_back(at);
  }
}

} // namespace tidings
