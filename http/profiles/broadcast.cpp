#include "http/gate.hpp"
#include "http/problem.hpp"
#include "http/profiles/profiles.hpp"
#include "http/refusal.hpp"
#include "http/stream_parameters.hpp"

namespace tidings::http {

namespace {

/// Everything that the caller may read, for pages of every origin.
class broadcast_stream : public exchange {
public:
  explicit broadcast_stream(profile_settings how) : how_(std::move(how)) {
    // nop
  }

  void begin(session& s, request& x) override {
    if (how_.sign_in && !is_user(x.who))
      return s.respond(sign_in_first());
    auto who = readable_part(x, {}, {});
    if (!who)
      return s.respond(problem(who.error()));
    open_profile_stream(s, x, how_, {"broadcast", wire_format::sse_data, true}, std::move(*who),
                        resume_point(x).value_or(from_now{}));
  }

  void on_deadline(session&) override {
    // nop: the stream is open when `begin` returns
  }

private:
  profile_settings how_;
};

} // namespace

std::shared_ptr<exchange> route_broadcast(std::string_view path, const request& x,
                                          const profile_settings& how) {
  if (path != broadcast_path)
    return nullptr;
  if (x.method != bhttp::verb::get && x.method != bhttp::verb::head)
    return make_method_refusal("GET");
  return std::make_shared<broadcast_stream>(how);
}

} // namespace tidings::http
