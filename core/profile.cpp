#include "tidings/config.hpp"

namespace tidings {

namespace {

using std::chrono::seconds;

/// As the system that the profile stands in for behaves.
profile_settings defaults_of(const config& cfg, profile_kind kind) {
  profile_settings x;
  switch (kind) {
    case profile_kind::notifications:
      x.sign_in = true;
      x.heartbeat = heartbeat_shape::event;
      x.heartbeat_data = R"({"status":"heartbeat"})";
      x.heartbeat_interval = seconds{10};
      x.overflow = overflow_policy::drop_oldest;
      x.queue_events = 100;
      x.streams_per_user = 10;
      x.envelope = true;
      x.test_aids = !has_sign_in(cfg.auth);
      break;
    case profile_kind::topics: // its stream is ours
      x.heartbeat = cfg.stream.heartbeat;
      x.heartbeat_event = cfg.stream.heartbeat_event;
      x.heartbeat_data =
        cfg.stream.heartbeat == heartbeat_shape::event ? cfg.stream.heartbeat_data : std::string{};
      x.heartbeat_interval = cfg.stream.heartbeat_interval;
      x.queue_events = cfg.stream.queue_events;
      break;
    case profile_kind::broadcast:
      x.heartbeat = heartbeat_shape::event;
      x.heartbeat_data = "{}";
      x.heartbeat_interval = seconds{5};
      x.timing = heartbeat_timing::fixed;
      x.first_event = "connection_established";
      break;
    case profile_kind::dashboard:
      x.sign_in = true;
      x.heartbeat_data = "keepalive";
      x.heartbeat_interval = seconds{30};
      x.overflow = overflow_policy::disconnect;
      x.queue_events = 50;
      break;
  }
  return x;
}

} // namespace

profile_settings settings_of(const config& cfg, profile_kind kind) {
  auto x = defaults_of(cfg, kind);
  for (auto& rule : cfg.profile) {
    if (rule.kind != kind)
      continue;
    auto set = [](auto& field, const auto& wish) {
      if (wish)
        field = *wish;
    };
    set(x.enabled, rule.enabled);
    set(x.mount, rule.mount);
    set(x.sign_in, rule.sign_in);
    set(x.heartbeat, rule.heartbeat);
    set(x.heartbeat_event, rule.heartbeat_event);
    set(x.heartbeat_data, rule.heartbeat_data);
    set(x.heartbeat_interval, rule.heartbeat_interval);
    set(x.timing, rule.timing);
    set(x.overflow, rule.overflow);
    set(x.queue_events, rule.queue_events);
    set(x.first_event, rule.first_event);
    set(x.streams_per_user, rule.streams_per_user);
    set(x.replace_oldest, rule.replace_oldest);
    set(x.envelope, rule.envelope);
    set(x.test_aids, rule.test_aids);
  }
  return x;
}

} // namespace tidings
