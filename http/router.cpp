#include "http/cors.hpp"
#include "http/exchange.hpp"
#include "http/gate.hpp"
#include "http/handlers/cluster.hpp"
#include "http/handlers/mailbox.hpp"
#include "http/handlers/operations.hpp"
#include "http/handlers/publish.hpp"
#include "http/handlers/revoke.hpp"
#include "http/handlers/subscribe.hpp"
#include "http/profiles/profiles.hpp"
#include "http/refusal.hpp"

#include <array>

namespace tidings::http {

namespace {

using maker = std::shared_ptr<exchange> (*)();

/// Paths that answer to GET alone.
struct page_route {
  std::string_view path;
  maker make;
  bool for_admins = true;
};

constexpr std::array<page_route, 8> pages{{
  {"/", make_front_page, false},
  {"/healthz", make_healthz, false},
  {"/readyz", make_readyz, false},
  {"/metrics", make_metrics},
  {"/stats", make_stats},
  {"/connections", make_list_connections},
  {"/topics", make_list_topics},
  {"/cluster", make_cluster},
}};

bool is_read(const request& x) {
  return x.method == bhttp::verb::get || x.method == bhttp::verb::head;
}

std::shared_ptr<exchange> answer_preflight() {
  return make_answer([](session& s, const request& x) {
    if (x.field(bhttp::field::origin).empty()) {
      response plain;
      plain.status = 204;
      plain.headers.emplace_back("Allow", "GET, HEAD, POST, DELETE, OPTIONS");
      return plain;
    }
    return preflight(allowed_origins(x, s.settings()), x.field(bhttp::field::origin),
                     x.field(bhttp::field::access_control_request_headers));
  });
}

/// `/users/{user}/…`
std::shared_ptr<exchange> route_user(const request& x) {
  auto rest = x.raw_path.substr(std::string_view{"/users/"}.size());
  auto what = rest.substr(std::min(rest.find('/'), rest.size()));
  if (what == "/stream")
    return is_read(x) ? make_subscribe() : make_method_refusal("GET");
  if (what == "/mailbox") {
    if (is_read(x))
      return make_read_mailbox();
    return x.method == bhttp::verb::post ? make_send_item() : make_method_refusal("GET, POST");
  }
  constexpr auto prefix = std::string_view{"/mailbox/"};
  if (what.starts_with(prefix))
    if (auto change = make_change_mailbox(what.substr(prefix.size())))
      return x.method == bhttp::verb::post ? change : make_method_refusal("POST");
  return make_refusal({errc::not_found, "there is nothing at this path"});
}

/// What administrators change: nullptr, nothing of it is at this path.
std::shared_ptr<exchange> route_administration(const request& x) {
  auto is = [&](bhttp::verb method) { return x.method == method; };
  if (x.raw_path.starts_with("/connections/"))
    return is(bhttp::verb::delete_) ? make_close_connection() : make_method_refusal("DELETE");
  if (x.raw_path == "/revocations") {
    if (is_read(x))
      return make_list_revocations();
    return is(bhttp::verb::post) ? make_revoke() : make_method_refusal("GET, POST");
  }
  if (x.raw_path == "/cluster/members")
    return is(bhttp::verb::post) ? make_add_member() : make_method_refusal("POST");
  if (x.raw_path.starts_with("/cluster/members/"))
    return is(bhttp::verb::delete_) ? make_remove_member() : make_method_refusal("DELETE");
  if (x.raw_path == "/cluster/drain") {
    if (is(bhttp::verb::post))
      return make_drain();
    return is(bhttp::verb::delete_) ? make_undrain() : make_method_refusal("POST, DELETE");
  }
  return nullptr;
}

} // namespace

std::shared_ptr<exchange> route(const request& x, const config& cfg) {
  if (x.method == bhttp::verb::options)
    return answer_preflight();
  if (!is_read(x) && is_unwilled(x, cfg.server.cors_origins))
    return make_refusal({errc::forbidden, "pages of this origin may not publish here; list it in "
                                          "server.cors-origins if they should"});
  for (auto& page : pages)
    if (x.raw_path == page.path) {
      if (page.for_admins)
        if (auto why = check_admin(x.who))
          return make_refusal(*why);
      return is_read(x) ? page.make() : make_method_refusal("GET");
    }
  if (x.raw_path == "/events" || x.raw_path.starts_with("/topics/")) {
    if (is_read(x))
      return make_subscribe();
    if (x.method != bhttp::verb::post)
      return make_method_refusal("GET, POST");
    return x.raw_path == "/events" ? make_publish_events(x) : make_publish_to_topic();
  }
  if (x.raw_path.starts_with("/users/"))
    return route_user(x);
  if (auto found = route_administration(x)) {
    if (auto why = check_admin(x.who))
      return make_refusal(*why);
    return found;
  }
  if (auto found = route_profile(x, cfg))
    return found;
  return make_refusal({errc::not_found, "there is nothing at this path"});
}

} // namespace tidings::http
