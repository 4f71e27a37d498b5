#include "http/publication.hpp"

#include "http/accept.hpp"
#include "http/json_scan.hpp"
#include "http/publication_draft.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <algorithm>
#include <cstring>

namespace tidings::http {

namespace {

bool holds_nul(std::string_view x) noexcept {
  return std::memchr(x.data(), 0, x.size()) != nullptr;
}

status check_text(std::string_view x) {
  if (!is_utf8(x))
    return failure{errc::invalid_text, "the data is not UTF-8; binary data needs encoding=base64"};
  if (holds_nul(x))
    return failure{errc::invalid_text, "the data holds a NUL; binary data needs encoding=base64"};
  return std::nullopt;
}

// -- one event as body ---------------------------------------------------------------------------

/// The query parameter, else the header; empty: neither.
std::string_view parameter(const request& x, std::string_view name, std::string_view header) {
  if (auto value = x.query.first(name))
    return *value;
  return x.field(header);
}

status set_body(publication_draft& to, request& x) {
  auto type = parse_media_type(x.field("Content-Type"));
  if (!type)
    return failure{errc::unsupported_media_type, "the Content-Type is malformed"};
  auto& content = to.made.content;
  if (auto encoding = x.query.first("encoding")) {
    if (*encoding != "base64")
      return failure{errc::invalid_parameter, "encoding can only be base64"};
    content.data = to_base64(x.body);
    content.kind = data_kind::base64;
    return std::nullopt;
  }
  if (!type->is_utf8())
    return failure{errc::unsupported_media_type, "text must be UTF-8, not " + type->charset};
  if (auto why = check_text(x.body))
    return why;
  if (type->is_json()) {
    if (auto value = scan_value(x.body); !value)
      return value.error();
    content.kind = data_kind::json;
  }
  content.data = std::move(x.body);
  return std::nullopt;
}

// -- an envelope ---------------------------------------------------------------------------------

failure must_be(std::string_view name, std::string_view what) {
  std::string detail{"'"};
  detail += name;
  detail += "' must be ";
  detail += what;
  return {errc::invalid_event, std::move(detail)};
}

/// Reads the members of an envelope into a draft.
class envelope_reader {
public:
  explicit envelope_reader(const limits_config& limits) : limits_(limits) {
    // nop
  }

  /// The user whose mailbox everything goes to, from the path.
  status set_user(std::string_view user) {
    return draft_.add_user(user, limits_);
  }

  result<publication> read(const std::vector<json_item>& members) {
    for (auto& x : members)
      if (auto why = take(x))
        return *why;
    if (auto why = take_topics())
      return *why;
    if (auto why = take_users())
      return *why;
    if (auto why = take_data())
      return *why;
    return draft_.finish(limits_);
  }

private:
  status take(const json_item& x) {
    if (x.name == "topic") {
      topic_ = &x;
      return std::nullopt;
    }
    if (x.name == "topics") {
      topics_ = &x;
      return std::nullopt;
    }
    if (x.name == "users") {
      users_ = &x;
      return std::nullopt;
    }
    if (x.name == "data") {
      data_ = &x;
      return std::nullopt;
    }
    if (x.name == "encoding") {
      if (x.kind != json_kind::string || x.source != "\"base64\"")
        return must_be(x.name, "\"base64\"");
      base64_ = true;
      return std::nullopt;
    }
    auto setter = setter_of(x.name);
    if (!setter)
      return failure{errc::invalid_event,
                     "there is no field '" + for_log(x.name) + "' in an event"};
    if (x.kind == json_kind::null)
      return std::nullopt;
    if (x.name == "ttl" && x.source == "0")
      return draft_.set_ttl(x.source);
    if (x.kind != json_kind::string)
      return must_be(x.name, "a string");
    return (draft_.*setter)(x.text());
  }

  using setter = status (publication_draft::*)(std::string_view);

  static setter setter_of(std::string_view name) {
    if (name == "type")
      return &publication_draft::set_type;
    if (name == "id")
      return &publication_draft::set_id;
    if (name == "ttl")
      return &publication_draft::set_ttl;
    if (name == "ack")
      return &publication_draft::set_level;
    if (name == "key")
      return &publication_draft::set_key;
    if (name == "title")
      return &publication_draft::set_title;
    if (name == "message")
      return &publication_draft::set_message;
    if (name == "priority")
      return &publication_draft::set_priority;
    return nullptr;
  }

  status take_topics() {
    if (topic_) {
      if (topic_->kind != json_kind::string)
        return must_be("topic", "a string");
      if (auto why = draft_.add_topic(topic_->text(), limits_))
        return why;
    }
    if (!topics_)
      return std::nullopt;
    if (topics_->kind != json_kind::array)
      return must_be("topics", "an array of strings");
    auto names = scan_array(topics_->source);
    if (!names)
      return names.error();
    for (auto& x : *names) {
      if (x.kind != json_kind::string)
        return must_be("topics", "an array of strings");
      if (auto why = draft_.add_topic(x.text(), limits_))
        return why;
    }
    return std::nullopt;
  }

  /// One user, a list of them, or `*`; integers are taken for their digits.
  status take_users() {
    if (!users_ || users_->kind == json_kind::null)
      return std::nullopt;
    if (users_->kind != json_kind::array)
      return take_user(*users_);
    auto names = scan_array(users_->source);
    if (!names)
      return names.error();
    if (names->empty())
      return must_be("users", "a list that names somebody");
    for (auto& x : *names)
      if (auto why = take_user(x))
        return why;
    return std::nullopt;
  }

  status take_user(const json_item& x) {
    if (x.kind == json_kind::string)
      return draft_.add_user(x.text(), limits_);
    if (x.kind == json_kind::number && parse_unsigned(x.source))
      return draft_.add_user(x.source, limits_);
    return must_be("users", "user ids: strings or integers, or \"*\" for everyone");
  }

  status take_data() {
    auto& content = draft_.made.content;
    if (base64_) {
      if (!data_ || data_->kind != json_kind::string)
        return must_be("data", "base64 text");
      content.kind = data_kind::base64;
      content.data = data_->text();
      if (!from_base64(content.data))
        return must_be("data", "base64 text");
    } else if (!data_) {
      return std::nullopt;
    } else if (data_->kind == json_kind::string) {
      content.data = data_->text();
      if (!data_->plain && holds_nul(content.data))
        return failure{errc::invalid_text, "the data holds a NUL"};
    } else {
      content.kind = data_kind::json;
      data_->append_compact(content.data);
    }
    return std::nullopt;
  }

  const limits_config& limits_;
  publication_draft draft_;
  const json_item* topic_ = nullptr;
  const json_item* topics_ = nullptr;
  const json_item* users_ = nullptr;
  const json_item* data_ = nullptr;
  bool base64_ = false;
};

} // namespace

result<publish_form> publish_form_of(const request& x) {
  auto type = parse_media_type(x.field("Content-Type"));
  if (type && !type->is_utf8())
    return failure{errc::unsupported_media_type, "text must be UTF-8, not " + type->charset};
  if (type && type->essence == "application/cloudevents+json")
    return publish_form::cloud_event;
  if (type && type->essence == "application/cloudevents-batch+json")
    return publish_form::cloud_event_batch;
  if (!x.field("ce-specversion").empty())
    return publish_form::cloud_event_binary;
  if (type && (type->essence == "application/x-ndjson" || type->essence == "application/ndjson"))
    return publish_form::ndjson;
  if (type && type->is_json())
    return publish_form::json;
  return failure{
    errc::unsupported_media_type,
    "the Content-Type must be application/json, application/x-ndjson or one of CloudEvents"};
}

bool is_json_array(std::string_view json) noexcept {
  auto first = json.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && json[first] == '[';
}

result<publication> parse_raw(request& x, const limits_config& limits) {
  if (auto why = x.query.check_names({"type", "id", "ttl", "ack", "encoding"}))
    return *why;
  auto topic = topic_of_path(x.raw_path);
  if (!topic)
    return topic.error();
  publication_draft draft;
  if (auto why = draft.add_topic(*topic, limits))
    return *why;
  if (auto text = parameter(x, "type", "X-Event-Type"); !text.empty())
    if (auto why = draft.set_type(text))
      return *why;
  if (auto text = parameter(x, "id", "X-Event-Id"); !text.empty())
    if (auto why = draft.set_id(text))
      return *why;
  if (auto text = parameter(x, "ttl", "X-Event-TTL"); !text.empty())
    if (auto why = draft.set_ttl(text))
      return *why;
  if (auto text = parameter(x, "ack", "X-Ack"); !text.empty())
    if (auto why = draft.set_level(text))
      return *why;
  if (auto text = x.field("Idempotency-Key"); !text.empty())
    if (auto why = draft.set_key(text))
      return *why;
  if (auto why = set_body(draft, x))
    return *why;
  return draft.finish(limits);
}

result<publication> parse_object(std::string_view json, const limits_config& limits) {
  auto members = scan_object(json);
  if (!members)
    return members.error();
  return envelope_reader{limits}.read(*members);
}

result<publication> parse_item(std::string_view user, std::string_view json,
                               const limits_config& limits) {
  auto members = scan_object(json);
  if (!members)
    return members.error();
  envelope_reader reader{limits};
  if (auto why = reader.set_user(user))
    return *why;
  return reader.read(*members);
}

parsed_batch parse_array(std::string_view json, const limits_config& limits) {
  return parse_batch(json, limits,
                     [&](std::string_view item) { return parse_object(item, limits); });
}

parsed_batch parse_batch(std::string_view json, const limits_config& limits,
                         const std::function<result<publication>(std::string_view)>& parse) {
  parsed_batch batch;
  auto elements = scan_array(json);
  if (!elements) {
    batch.refused = elements.error();
  } else if (elements->empty()) {
    batch.refused = failure{errc::invalid_event, "the array holds no event"};
  } else if (elements->size() > limits.batch_events) {
    batch.refused =
      failure{errc::payload_too_large,
              "an array can hold at most " + std::to_string(limits.batch_events) + " events"};
  } else {
    batch.items.reserve(elements->size());
    for (size_t i = 0; i < elements->size(); ++i) {
      auto x = parse((*elements)[i].source);
      if (x)
        batch.items.push_back(std::move(*x));
      else if (batch.errors.push_back({i, x.error()}); batch.errors.size() == item_failures_max)
        break;
    }
  }
  if (!batch.ok())
    batch.items.clear();
  return batch;
}

status apply_idempotency_key(std::span<publication> xs, std::string_view key) {
  if (key.empty())
    return std::nullopt;
  publication_draft check;
  if (auto why = check.set_key(key))
    return why;
  for (size_t i = 0; i < xs.size(); ++i) {
    if (!xs[i].key.empty())
      continue;
    if (xs.size() == 1) {
      xs[i].key = "k:";
      xs[i].key += key;
    } else {
      xs[i].key = "b:";
      xs[i].key += key;
      xs[i].key += '\0';
      xs[i].key += std::to_string(i);
    }
  }
  return std::nullopt;
}

} // namespace tidings::http
