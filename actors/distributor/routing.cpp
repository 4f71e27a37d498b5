#include "actors/distributor/routing.hpp"

#include <unordered_map>

namespace tidings {

std::vector<publish_request::hop> plan_route(const std::vector<publish_item>& items) {
  std::vector<publish_request::hop> route;
  std::unordered_map<std::string_view, size_t> known;
  for (uint32_t i = 0; i < items.size(); ++i)
    for (auto& topic : items[i].what.content.topics) {
      // Most requests have one topic, or one after the other the same.
      if (!route.empty() && route.back().topic == topic) {
        route.back().items.push_back(i);
        continue;
      }
      auto [at, fresh] = known.emplace(topic, route.size());
      if (fresh)
        route.push_back({topic, {}});
      route[at->second].items.push_back(i);
    }
  return route;
}

} // namespace tidings
