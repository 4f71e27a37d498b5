#include "http/profiles/profiles.hpp"

#include "http/handlers/streaming.hpp"
#include "http/problem.hpp"

#include <array>

namespace tidings::http {

namespace {

using router = std::shared_ptr<exchange> (*)(std::string_view, const request&,
                                             const profile_settings&);

struct mounted {
  profile_kind kind;
  router route;
};

// The profile `topics` has no paths of its own: its stream is /events.
constexpr std::array<mounted, 3> profiles{{
  {profile_kind::notifications, route_notifications},
  {profile_kind::broadcast, route_broadcast},
  {profile_kind::dashboard, route_dashboard},
}};

} // namespace

std::shared_ptr<exchange> route_profile(const request& x, const config& cfg) {
  for (auto& profile : profiles) {
    auto how = settings_of(cfg, profile.kind);
    if (!how.enabled || !x.raw_path.starts_with(how.mount))
      continue;
    if (auto found = profile.route(x.raw_path.substr(how.mount.size()), x, how))
      return found;
  }
  return nullptr;
}

const std::vector<std::string>& allowed_origins(const request& x, const config& cfg) {
  static const std::vector<std::string> all{"*"};
  if (x.field(bhttp::field::origin).empty() || !x.raw_path.ends_with(broadcast_path))
    return cfg.server.cors_origins;
  auto how = settings_of(cfg, profile_kind::broadcast);
  return how.enabled && x.raw_path == how.mount + std::string{broadcast_path}
           ? all
           : cfg.server.cors_origins;
}

response sign_in_first() {
  return problem({errc::unauthorized, "this is for a user: sign in"});
}

void open_profile_stream(session& s, const request& x, const profile_settings& how,
                         const profile_stream& kind, subscription_ptr who, start_point from,
                         std::string preface) {
  auto manners = std::make_shared<stream_profile>(
    make_profile(s.local_shard().settings(), kind.format, x.http11));
  adopt(*manners, how);
  manners->says_ready = false;
  stream_opening opening;
  opening.what = {std::move(who), std::move(from), std::move(manners), x.who, std::move(preface)};
  opening.counted_as = kind.name;
  opening.streams_per_user = how.streams_per_user;
  opening.replace_oldest = how.replace_oldest;
  opening.any_origin = kind.any_origin;
  opening.cache_control = "no-cache"; // as those systems said it
  open_stream(s, x, std::move(opening));
}

} // namespace tidings::http
