#include "actors/mailbox/mailbox_event.hpp"

#include "tidings/units.hpp"

#include <nlohmann/json.hpp>

namespace tidings {

namespace {

/// Empty: there is no such text.
std::string text_of(const nlohmann::json& x, const char* name) {
  auto i = x.find(name);
  return i != x.end() && i->is_string() ? i->get<std::string>() : std::string{};
}

} // namespace

std::vector<mailbox_raise> read_mailbox_event(const event& x) {
  std::vector<mailbox_raise> found;
  auto prefix = mailbox_topic("");
  if (x.type != mailbox_event || x.topics.size() != 1 || !x.topics.front().starts_with(prefix))
    return found;
  auto json = nlohmann::json::parse(x.data, nullptr, false);
  if (!json.is_object())
    return found;
  auto state = parse_item_state(text_of(json, "state"));
  auto items = json.find("items");
  if (!state || items == json.end() || !items->is_array())
    return found;
  auto at = parse_rfc3339(text_of(json, "at"));
  for (auto& item : *items) {
    auto id = item.is_object() ? event_id::parse(text_of(item, "id")) : std::nullopt;
    if (id)
      found.push_back({x.topics.front().substr(prefix.size()), *id, *state, at.value_or(0)});
  }
  return found;
}

} // namespace tidings
