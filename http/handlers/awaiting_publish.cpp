#include "http/handlers/awaiting_publish.hpp"

#include "http/handlers/publishing.hpp"

#include <utility>

namespace tidings::http {

void awaiting_publish::send(session& s, std::vector<publication> xs, bool atomic) {
  session_ = s.weak_from_this();
  auto me = std::static_pointer_cast<awaiting_publish>(shared_from_this());
  if (auto why = submit(s, std::move(xs), atomic, me, 0))
    return s.respond(refused(*why));
  s.home().set_deadline(s, s.local_shard().settings().limits.publish_timeout);
}

void awaiting_publish::on_published(const publish_ptr& x) {
  auto s = session_.lock();
  if (!s || std::exchange(answered_, true))
    return;
  s->home().clear_deadline(*s);
  s->respond(outcome(*s, *x));
}

void awaiting_publish::on_deadline(session& s) {
  if (!std::exchange(answered_, true))
    s.respond(late());
}

} // namespace tidings::http
