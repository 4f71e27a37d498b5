#include "http/mailbox_parameters.hpp"

#include "http/json_scan.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <array>

namespace tidings::http {

namespace {

using action_name = std::pair<std::string_view, mailbox_action>;

constexpr std::array<action_name, 5> actions{{
  {"seen", mailbox_action::seen},
  {"read", mailbox_action::read},
  {"archive", mailbox_action::archive},
  {"dismiss", mailbox_action::dismiss},
  {"clear", mailbox_action::clear},
}};

item_state state_after(mailbox_action x) noexcept {
  switch (x) {
    case mailbox_action::seen:
      return item_state::seen;
    case mailbox_action::read:
      return item_state::read;
    case mailbox_action::archive:
      return item_state::archived;
    default:
      return item_state::dismissed;
  }
}

failure bad_parameter(std::string detail) {
  return {errc::invalid_parameter, std::move(detail)};
}

status admit(item_filter& to, std::string_view state) {
  auto x = parse_item_state(state);
  if (!x || *x == item_state::dismissed)
    return bad_parameter("a state is unread, seen, read or archived");
  to.states[static_cast<size_t>(*x)] = true;
  return std::nullopt;
}

/// One string, or an array of them.
result<std::vector<std::string>> texts_of(const json_item& x, const char* what) {
  auto wrong = bad_parameter(std::string{what} + " must be a string or a list of strings");
  if (x.kind == json_kind::string)
    return std::vector<std::string>{x.text()};
  if (x.kind != json_kind::array)
    return wrong;
  auto elements = scan_array(x.source);
  if (!elements)
    return elements.error();
  std::vector<std::string> out;
  for (auto& y : *elements) {
    if (y.kind == json_kind::string)
      out.push_back(y.text());
    else if (y.kind == json_kind::number)
      out.emplace_back(y.source); // what no id looks like names nothing
    else
      return wrong;
  }
  return out;
}

} // namespace

std::optional<mailbox_action> parse_mailbox_action(std::string_view name) {
  for (auto& x : actions)
    if (x.first == name)
      return x.second;
  return std::nullopt;
}

result<mailbox_query> parse_mailbox_query(const request& x, const mailbox_config& cfg) {
  if (auto why = x.query.check_names({"state", "type", "order", "cursor", "limit"}))
    return *why;
  mailbox_query y;
  y.entries_max = cfg.items_max;
  if (auto text = x.query.first("state")) {
    y.filter.states.fill(false);
    auto rest = *text;
    while (true) {
      auto end = std::min(rest.find(','), rest.size());
      if (auto why = admit(y.filter, rest.substr(0, end)))
        return *why;
      if (end == rest.size())
        break;
      rest.remove_prefix(end + 1);
    }
  }
  y.filter.type = x.query.first("type").value_or("");
  y.after = x.query.first("cursor").value_or("");
  if (auto text = x.query.first("order")) {
    if (*text == "newest")
      y.order = item_order::newest;
    else if (*text == "oldest")
      y.order = item_order::oldest;
    else if (*text == "urgent")
      y.order = item_order::urgent;
    else
      return bad_parameter("order must be newest, oldest or urgent");
  }
  if (y.order == item_order::urgent && !y.after.empty())
    return bad_parameter("the order 'urgent' has one page: cursor makes no sense with it");
  y.limit = std::min<size_t>(y.limit, cfg.page_items);
  if (auto text = x.query.first("limit")) {
    auto n = parse_unsigned(*text);
    if (!n || *n > cfg.page_items) // none: for the counts alone
      return bad_parameter("limit must be a number up to " + std::to_string(cfg.page_items));
    y.limit = *n;
  }
  return y;
}

result<mailbox_order> parse_mailbox_order(mailbox_action what, const request& x,
                                          const limits_config& limits) {
  if (auto why = x.query.check_names({}))
    return *why;
  mailbox_order y;
  y.to = state_after(what);
  auto chosen = false;
  if (x.body.find_first_not_of(" \t\r\n") != std::string::npos) {
    auto members = scan_object(x.body);
    if (!members)
      return members.error();
    for (auto& member : *members) {
      chosen = true; // `null` is refused below: who lost their list must not clear everything
      if (member.name == "ids") {
        auto ids = texts_of(member, "ids");
        if (!ids)
          return ids.error();
        if (ids->size() > limits.batch_events)
          return bad_parameter("ids can name at most " + std::to_string(limits.batch_events)
                               + " items");
        y.ids = std::move(*ids);
      } else if (member.name == "state") {
        auto states = texts_of(member, "state");
        if (!states)
          return states.error();
        y.filter.states.fill(false);
        for (auto& state : *states)
          if (auto why = admit(y.filter, state))
            return *why;
      } else if (member.name == "type") {
        if (member.kind != json_kind::string)
          return bad_parameter("type must be a string");
        y.filter.type = member.text();
      } else {
        return bad_parameter("there is no field '" + for_log(member.name)
                             + "' here: ids, or state and type");
      }
    }
  }
  if (y.ids && (!y.filter.type.empty() || y.filter.states != item_filter{}.states))
    return bad_parameter("ids, or state and type: not both");
  if (what == mailbox_action::dismiss && !chosen)
    return bad_parameter("say what to dismiss: ids, or state and type; clear takes everything");
  return y;
}

} // namespace tidings::http
