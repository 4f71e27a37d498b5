#include "http/publication_draft.hpp"

#include "tidings/text.hpp"
#include "tidings/topic.hpp"
#include "tidings/units.hpp"

#include <xxhash.h>

#include <algorithm>

namespace tidings::http {

namespace {

/// The broker's own events begin so: nobody may forge them.
constexpr std::string_view reserved_types = "tidings.";

status check_line(std::string_view text, size_t bytes_max, const char* what) {
  auto refuse = [&](const std::string& why) {
    return failure{errc::invalid_event, std::string{what} + why};
  };
  if (text.empty())
    return refuse(" must not be empty");
  if (text.size() > bytes_max)
    return refuse(" is longer than " + std::to_string(bytes_max) + " bytes");
  if (!is_utf8(text) || !is_single_line(text))
    return refuse(" must be one line of UTF-8 without control characters");
  return std::nullopt;
}

} // namespace

status publication_draft::add_topic(std::string_view name, const limits_config& limits) {
  if (auto why = validate_topic(name))
    return why;
  auto& xs = made.content.topics;
  if (std::find(xs.begin(), xs.end(), name) != xs.end())
    return std::nullopt;
  if (xs.size() == limits.topics_per_event)
    return failure{errc::invalid_topic, "an event can have at most "
                                          + std::to_string(limits.topics_per_event) + " topics"};
  xs.emplace_back(name);
  return std::nullopt;
}

status publication_draft::add_topics(std::string_view names, const limits_config& limits) {
  while (true) {
    auto end = std::min(names.find(','), names.size());
    if (auto why = add_topic(names.substr(0, end), limits))
      return why;
    if (end == names.size())
      return std::nullopt;
    names.remove_prefix(end + 1);
  }
}

status publication_draft::add_user(std::string_view user, const limits_config& limits) {
  has_users = true;
  if (!item)
    item.emplace();
  if (user == "*")
    return add_topic(everyone_topic, limits);
  if (auto why = validate_user(user))
    return why;
  return add_topic(user_topic(user), limits);
}

status publication_draft::set_title(std::string_view text) {
  if (auto why = check_line(text, title_bytes_max, "the title"))
    return why;
  if (!item)
    item.emplace();
  item->title = text;
  return std::nullopt;
}

status publication_draft::set_message(std::string_view text) {
  if (text.size() > message_bytes_max)
    return failure{errc::invalid_event,
                   "the message is longer than " + std::to_string(message_bytes_max) + " bytes"};
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos)
    return failure{errc::invalid_event, "the message must be UTF-8 without NUL"};
  if (!item)
    item.emplace();
  item->message = text;
  return std::nullopt;
}

status publication_draft::set_priority(std::string_view text) {
  auto level = parse_priority(text);
  if (!level)
    return failure{errc::invalid_event, "the priority must be LOW, NORMAL, HIGH or CRITICAL"};
  if (!item)
    item.emplace();
  item->level = *level;
  return std::nullopt;
}

status publication_draft::set_type(std::string_view text) {
  if (text.empty())
    return std::nullopt; // a type that is not there
  if (auto why = check_line(text, type_bytes_max, "the type"))
    return why;
  if (text.starts_with(reserved_types))
    return failure{errc::invalid_event, "types that begin with 'tidings.' are the broker's own"};
  made.content.type = text;
  return std::nullopt;
}

status publication_draft::set_id(std::string_view text) {
  if (auto why = check_line(text, event_id_bytes_max, "the event id"))
    return why;
  made.content.id = text;
  return std::nullopt;
}

status publication_draft::set_key(std::string_view text) {
  if (auto why = check_line(text, key_bytes_max, "the idempotency key"))
    return why;
  key = text;
  return std::nullopt;
}

status publication_draft::set_ttl(std::string_view text) {
  made.ttl = parse_duration(text);
  if (!made.ttl)
    return failure{errc::invalid_parameter,
                   "the ttl must be a duration with a unit, such as 90s or 7d"};
  return std::nullopt;
}

status publication_draft::set_level(std::string_view text) {
  made.level = parse_durability(text);
  if (!made.level)
    return failure{errc::invalid_parameter, "ack must be none, written, fsync or quorum"};
  return std::nullopt;
}

result<publication> publication_draft::finish(const limits_config& limits) {
  auto& x = made.content;
  if (item && !has_users)
    return failure{errc::invalid_event,
                   "title, message and priority are for items of users: name them in 'users'"};
  if (x.topics.empty())
    return failure{errc::invalid_topic, "the event names no topic"};
  if (x.data.size() > limits.event_bytes)
    return failure{errc::payload_too_large, "the data of an event can have at most "
                                              + std::to_string(limits.event_bytes) + " bytes"};
  if (item)
    x.mail = std::make_shared<const mail>(std::move(*item));
  if (!key.empty()) {
    made.key.reserve(2 + key.size());
    made.key = "k:";
    made.key += key;
  } else if (!x.id.empty()) {
    made.key.reserve(3 + x.topics.front().size() + x.id.size());
    made.key = "i:";
    made.key += x.topics.front();
    made.key += '\0';
    made.key += x.id;
  }
  made.fingerprint = fingerprint_of(x);
  return std::move(made);
}

uint64_t fingerprint_of(const event& x) {
  // Each part is hashed with the hash so far as its seed: where one ends and the next begins
  // counts.
  auto h = XXH64(&x.kind, sizeof x.kind, x.topics.size());
  for (auto& topic : x.topics)
    h = XXH64(topic.data(), topic.size(), h);
  h = XXH64(x.type.data(), x.type.size(), h);
  if (x.mail) {
    h = XXH64(x.mail->title.data(), x.mail->title.size(), h);
    h = XXH64(x.mail->message.data(), x.mail->message.size(), h);
    h = XXH64(&x.mail->level, sizeof x.mail->level, h);
  }
  return XXH64(x.data.data(), x.data.size(), h);
}

} // namespace tidings::http
