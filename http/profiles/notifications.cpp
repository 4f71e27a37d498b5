#include "actors/mailbox/mailbox_reader.hpp"
#include "http/gate.hpp"
#include "http/handlers/asking.hpp"
#include "http/handlers/publishing.hpp"
#include "http/mailbox_parameters.hpp"
#include "http/problem.hpp"
#include "http/profiles/notification_sending.hpp"
#include "http/profiles/profiles.hpp"
#include "http/refusal.hpp"

namespace tidings::http {

namespace {

/// Of what was missed: the stream holds it until its client has taken it.
constexpr size_t missed_bytes_max = 1024 * 1024;

/// The user's unread items, as the profile shows them.
mailbox_query unread_items(const session& s, const request& x, item_order order, page_form form) {
  mailbox_query y;
  y.user = x.who->user;
  y.filter.states.fill(false);
  y.filter.states[static_cast<size_t>(item_state::unread)] = true;
  y.order = order;
  y.form = form;
  auto& cfg = s.settings().mailbox;
  y.entries_max = cfg.items_max;
  y.limit = cfg.page_items; // who has more reads the mailbox
  return y;
}

/// First what the user missed, the most urgent first, then what comes. The client's last id is not
/// asked for: the mailbox knows better what has been dealt with.
class notification_stream : public asking {
public:
  notification_stream(std::string type, profile_settings how)
    : type_(std::move(type)), how_(std::move(how)) {
    // nop
  }

  void begin(session& s, request& x) override {
    if (!is_user(x.who))
      return s.respond(sign_in_first());
    auto what = unread_items(s, x, item_order::urgent, page_form::frames);
    what.filter.type = type_;
    what.bytes_max = missed_bytes_max;
    s.local_shard().others().read_mailbox(
      std::move(what), later(s, [this, asked = &x](session& to, result<mailbox_page> page) {
        if (page)
          open(to, *asked, std::move(*page));
        else
          to.respond(problem(page.error()));
      }));
  }

private:
  void open(session& s, const request& x, mailbox_page missed) {
    std::vector<topic_pattern> patterns;
    for (auto& topic : {user_topic(x.who->user), std::string{everyone_topic}})
      patterns.push_back(*topic_pattern::parse(topic));
    auto who =
      std::make_shared<const subscription>(std::move(patterns), std::nullopt, std::vector{type_});
    auto format = how_.envelope ? wire_format::notification : wire_format::sse_data;
    open_profile_stream(s, x, how_, {"notifications", format}, std::move(who), missed.covered,
                        std::move(missed.text));
  }

  std::string type_;
  profile_settings how_;
};

class poll : public asking {
public:
  void begin(session& s, request& x) override {
    if (!is_user(x.who))
      return s.respond(sign_in_first());
    s.local_shard().others().read_mailbox(
      unread_items(s, x, item_order::oldest, page_form::notifications),
      later(s, [](session& to, result<mailbox_page> page) {
        if (!page)
          return to.respond(problem(page.error()));
        to.respond(json_response(std::move(page->text) + '\n'));
      }));
  }
};

/// `clear`, and `dismiss` with `{"ids":[…]}`.
class dismissal : public asking {
public:
  explicit dismissal(mailbox_action what) : what_(what) {
    // nop
  }

  void begin(session& s, request& x) override {
    if (!is_user(x.who))
      return s.respond(sign_in_first());
    if (auto why = check_takes_work(s))
      return s.respond(problem(*why));
    if (what_ == mailbox_action::clear)
      x.body.clear(); // everything, whatever a form sends along
    auto order = parse_mailbox_order(what_, x, s.settings().limits);
    if (!order)
      return s.respond(problem(order.error()));
    order->user = x.who->user;
    auto names = what_ == mailbox_action::dismiss;
    s.local_shard().others().change_mailbox(
      std::move(*order), later(s, [names](session& to, result<mailbox_outcome> outcome) {
        to.respond(outcome ? json_response(render(*outcome, names)) : problem(outcome.error()));
      }));
  }

private:
  static std::string render(const mailbox_outcome& x, bool names) {
    std::string out = "{\"status\":\"ok\"";
    if (names) {
      out += ",\"dismissed\":";
      append_ids(out, x.changed);
    }
    return out + "}\n";
  }

  mailbox_action what_;
};

} // namespace

std::shared_ptr<exchange> route_notifications(std::string_view path, const request& x,
                                              const profile_settings& how) {
  auto get = [&x](std::shared_ptr<exchange> found) {
    return x.method == bhttp::verb::get || x.method == bhttp::verb::head
             ? std::move(found)
             : make_method_refusal("GET");
  };
  auto post = [&x](std::shared_ptr<exchange> found) {
    return x.method == bhttp::verb::post ? std::move(found) : make_method_refusal("POST");
  };
  constexpr auto stream = std::string_view{"/sse/"};
  if (path.starts_with(stream) && path.size() > stream.size()) {
    auto type = percent_decode(path.substr(stream.size()));
    if (!type || type->find('/') != std::string::npos)
      return nullptr;
    return get(std::make_shared<notification_stream>(std::move(*type), how));
  }
  if (path == "/notifications/poll")
    return get(std::make_shared<poll>());
  if (path == "/notifications/send")
    return post(make_send_notification());
  if (path == "/notifications/clear")
    return post(std::make_shared<dismissal>(mailbox_action::clear));
  if (path == "/notifications/dismiss")
    return post(std::make_shared<dismissal>(mailbox_action::dismiss));
  if (how.test_aids && path == "/generate_notification")
    return post(make_generate_notification());
  if (how.test_aids && path == "/ssetest")
    return get(make_notification_page());
  return nullptr;
}

} // namespace tidings::http
