#include "identity/proxy_trust.hpp"

#include "identity/openssl.hpp"
#include "identity/own_topics.hpp"
#include "tidings/mailbox.hpp"

#include <algorithm>

namespace tidings {

result<proxy_trust> proxy_trust::make(const auth_config& x) {
  proxy_trust made;
  for (auto& text : x.proxies) {
    auto block = address_block::parse(text);
    if (!block)
      return failure{errc::invalid_configuration, "auth.proxies: " + block.error().detail};
    made.blocks_.push_back(*block);
  }
  auto publish = topic_rights::parse(x.proxy_publish);
  if (!publish)
    return failure{errc::invalid_configuration, "auth.proxy-publish: " + publish.error().detail};
  auto subscribe = topic_rights::parse(x.proxy_subscribe);
  if (!subscribe)
    return failure{errc::invalid_configuration,
                   "auth.proxy-subscribe: " + subscribe.error().detail};
  made.publish_ = *std::move(publish);
  made.subscribe_ = *std::move(subscribe);
  made.admins_ = x.proxy_admins;
  std::sort(made.admins_.begin(), made.admins_.end());
  auto rule = made.publish_.key() + "\n\n" + made.subscribe_.key();
  auto add = [&rule](const std::vector<std::string>& list) {
    rule += '\n';
    for (auto& item : list)
      rule += '\n' + item;
  };
  add(x.proxies);
  add(made.admins_);
  made.basis_ = openssl::mark_of(rule);
  return made;
}

bool proxy_trust::trusts(std::string_view peer_address) const noexcept {
  if (blocks_.empty())
    return false;
  auto address = ip_address::parse(peer_address);
  return address && std::any_of(blocks_.begin(), blocks_.end(), [&](auto& x) {
           return x.contains(*address);
         });
}

result<caller> proxy_trust::identify(std::string_view user) const {
  if (auto why = validate_user(user))
    return failure{errc::unauthorized, "it cannot be a user: " + why->detail};
  caller x;
  x.how = caller::way::proxy;
  x.user = user;
  x.publish = publish_;
  x.subscribe = subscribe_;
  x.admin = std::binary_search(admins_.begin(), admins_.end(), user);
  x.basis = basis_;
  permit_own_topics(x);
  return x;
}

} // namespace tidings
