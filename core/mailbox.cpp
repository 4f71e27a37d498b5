#include "tidings/mailbox.hpp"

#include "tidings/topic.hpp"

#include <algorithm>

namespace tidings {

namespace {

constexpr std::array<const char*, 4> priority_names{"LOW", "NORMAL", "HIGH", "CRITICAL"};
constexpr std::array<const char*, item_state_count> state_names{"unread", "seen", "read",
                                                                "archived", "dismissed"};
constexpr std::string_view user_topic_begin = "user:";
constexpr std::string_view mailbox_topic_begin = "$mailbox/";

char upper(char x) noexcept {
  return x >= 'a' && x <= 'z' ? static_cast<char>(x - 'a' + 'A') : x;
}

} // namespace

const char* to_string(priority x) noexcept {
  return priority_names[static_cast<size_t>(x)];
}

std::optional<priority> parse_priority(std::string_view x) noexcept {
  for (size_t i = 0; i < priority_names.size(); ++i)
    if (std::equal(x.begin(), x.end(), priority_names[i],
                   priority_names[i] + std::string_view{priority_names[i]}.size(),
                   [](char a, char b) { return upper(a) == b; }))
      return static_cast<priority>(i);
  return std::nullopt;
}

const char* to_string(item_state x) noexcept {
  return state_names[static_cast<size_t>(x)];
}

std::optional<item_state> parse_item_state(std::string_view x) noexcept {
  for (size_t i = 0; i < state_names.size(); ++i)
    if (x == state_names[i])
      return static_cast<item_state>(i);
  return std::nullopt;
}

status validate_user(std::string_view x) {
  if (x.empty() || x.size() > user_bytes_max)
    return failure{errc::invalid_parameter, "a user id has 1 to 128 bytes"};
  if (x == "me")
    return failure{errc::invalid_parameter, "`me` stands for the caller and is no user id"};
  if (auto why = validate_topic(user_topic(x)))
    return failure{errc::invalid_parameter, "a user id is part of a topic. " + why->detail};
  return std::nullopt;
}

std::string user_topic(std::string_view user) {
  std::string x{user_topic_begin};
  x += user;
  return x;
}

std::optional<std::string_view> user_of_topic(std::string_view topic) noexcept {
  if (!topic.starts_with(user_topic_begin) || topic.size() == user_topic_begin.size())
    return std::nullopt;
  return topic.substr(user_topic_begin.size());
}

std::string mailbox_topic(std::string_view user) {
  std::string x{mailbox_topic_begin};
  x += user;
  return x;
}

} // namespace tidings
