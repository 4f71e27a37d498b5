#include "http/gate.hpp"
#include "http/profiles/profiles.hpp"
#include "http/refusal.hpp"
#include "http/stream_parameters.hpp"

namespace tidings::http {

namespace {

/// What is sent to the caller, and to nobody else.
class dashboard_stream : public exchange {
public:
  explicit dashboard_stream(profile_settings how) : how_(std::move(how)) {
    // nop
  }

  void begin(session& s, request& x) override {
    if (!is_user(x.who)) // whatever the settings say: the stream is that of a user
      return s.respond(sign_in_first());
    auto topic = *topic_pattern::parse(user_topic(x.who->user));
    auto who = std::make_shared<const subscription>(std::vector{std::move(topic)});
    auto format = how_.envelope ? wire_format::sse : wire_format::sse_data;
    open_profile_stream(s, x, how_, {"dashboard", format}, std::move(who),
                        resume_point(x).value_or(from_now{}));
  }

  void on_deadline(session&) override {
    // nop: the stream is open when `begin` returns
  }

private:
  profile_settings how_;
};

} // namespace

std::shared_ptr<exchange> route_dashboard(std::string_view path, const request& x,
                                          const profile_settings& how) {
  if (path != "/events/stream")
    return nullptr;
  if (x.method != bhttp::verb::get && x.method != bhttp::verb::head)
    return make_method_refusal("GET");
  return std::make_shared<dashboard_stream>(how);
}

} // namespace tidings::http
