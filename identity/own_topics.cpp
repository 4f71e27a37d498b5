#include "identity/own_topics.hpp"

#include "tidings/mailbox.hpp"

namespace tidings {

void permit_own_topics(caller& x) {
  if (x.user.empty())
    return;
  x.subscribe.add_exact(user_topic(x.user));
  x.subscribe.add_exact(std::string{everyone_topic});
  x.subscribe.add_exact(mailbox_topic(x.user));
}

} // namespace tidings
