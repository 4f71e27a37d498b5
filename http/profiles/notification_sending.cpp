#include "http/profiles/notification_sending.hpp"

#include "http/gate.hpp"
#include "http/handlers/publish_exchange.hpp"
#include "http/json_scan.hpp"
#include "http/profiles/profiles.hpp"
#include "http/publication_draft.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <cmath>
#include <cstdlib>

namespace tidings::http {

namespace {

constexpr double minutes_max = 60.0 * 24 * 36'500;

failure must_be(std::string_view name, std::string_view what) {
  return {errc::invalid_event, '\'' + std::string{name} + "' must be " + std::string{what}};
}

/// An unknown name stands for NORMAL: the system was lenient here.
priority priority_of(const json_item& x) {
  if (x.kind == json_kind::string)
    return parse_priority(x.text()).value_or(priority::normal);
  auto number = x.kind == json_kind::number ? parse_unsigned(x.source) : std::nullopt;
  return number && *number <= static_cast<uint64_t>(priority::critical)
           ? static_cast<priority>(*number)
           : priority::normal;
}

class notification_reader {
public:
  explicit notification_reader(const limits_config& limits) : limits_(limits) {
    draft_.made.content.type = default_notification;
  }

  result<publication> read(std::string_view json) {
    auto members = scan_object(json);
    if (!members)
      return members.error();
    for (auto& x : *members)
      if (x.kind != json_kind::null) // as if it were not there
        if (auto why = take(x))
          return *why;
    if (!draft_.item || draft_.item->title.empty())
      return failure{errc::invalid_event, "a notification needs a title"};
    if (!draft_.has_users)
      if (auto why = draft_.add_user("*", limits_))
        return *why;
    return draft_.finish(limits_);
  }

private:
  status take(const json_item& x) {
    if (x.name == "target_userid")
      return take_user(x);
    if (x.name == "expire_after")
      return take_minutes(x);
    if (x.name == "priority") {
      if (!draft_.item)
        draft_.item.emplace();
      draft_.item->level = priority_of(x);
      return std::nullopt;
    }
    auto setter = x.name == "event_type" ? &publication_draft::set_type
                  : x.name == "title"    ? &publication_draft::set_title
                  : x.name == "message"  ? &publication_draft::set_message
                                         : nullptr;
    if (!setter)
      return failure{errc::invalid_event,
                     "there is no field '" + for_log(x.name) + "' in a notification"};
    if (x.kind != json_kind::string)
      return must_be(x.name, "a string");
    return (draft_.*setter)(x.text());
  }

  /// `*` would be everyone, whom the system addressed by naming nobody.
  status take_user(const json_item& x) {
    if (x.kind == json_kind::string && x.source != "\"*\"")
      return draft_.add_user(x.text(), limits_);
    if (x.kind == json_kind::number && parse_unsigned(x.source))
      return draft_.add_user(x.source, limits_);
    return must_be(x.name, "the id of a user: a string or an integer");
  }

  status take_minutes(const json_item& x) {
    constexpr auto what = "a number of minutes, more than 0 and at most 36500 days";
    if (x.kind != json_kind::number)
      return must_be(x.name, what);
    auto minutes = std::strtod(std::string{x.source}.c_str(), nullptr);
    if (!(minutes > 0) || minutes > minutes_max)
      return must_be(x.name, what);
    draft_.made.ttl = milliseconds{static_cast<int64_t>(std::ceil(minutes * 60'000))};
    return std::nullopt;
  }

  const limits_config& limits_;
  publication_draft draft_;
};

class send_notification : public publish_exchange {
protected:
  parsed_request parse(session& s, request& x) override {
    return one(notification_reader{s.settings().limits}.read(x.body));
  }
};

class generate_notification : public publish_exchange {
protected:
  parsed_request parse(session& s, request& x) override {
    if (!is_user(x.who))
      return sign_in_first();
    return one(read(s.settings().limits, x));
  }

private:
  static result<publication> read(const limits_config& limits, const request& x) {
    auto form = query_parameters::parse(x.body);
    if (!form)
      return form.error();
    publication_draft draft;
    if (auto why = draft.add_user(x.who->user, limits))
      return *why;
    if (auto why = draft.set_type(default_notification))
      return *why;
    if (auto why = draft.set_title(form->first("title").value_or("")))
      return *why;
    if (auto why = draft.set_message(form->first("message").value_or("")))
      return *why;
    return draft.finish(limits);
  }
};

} // namespace

std::shared_ptr<exchange> make_send_notification() {
  return std::make_shared<send_notification>();
}

std::shared_ptr<exchange> make_generate_notification() {
  return std::make_shared<generate_notification>();
}

} // namespace tidings::http
