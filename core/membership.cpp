#include "tidings/membership.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace tidings {

namespace {

using json = nlohmann::ordered_json;

constexpr auto kind = "tidings-members-1";

} // namespace

const cluster_member* membership::find(std::string_view name) const noexcept {
  auto i = std::find_if(members.begin(), members.end(), [&](auto& x) { return x.name == name; });
  return i != members.end() ? &*i : nullptr;
}

membership configured_membership(const cluster_config& x) {
  membership list;
  for (auto& text : x.members)
    if (auto member = parse_member(text))
      list.members.push_back(std::move(*member));
  return list;
}

std::vector<std::string> to_texts(const membership& x) {
  std::vector<std::string> texts;
  for (auto& member : x.members)
    texts.push_back(member.name + '=' + member.address);
  return texts;
}

bool supersedes(const membership& x, const membership& y) {
  return x.version != y.version ? x.version > y.version : to_texts(x) > to_texts(y);
}

result<membership> with_member(const membership& x, cluster_member added) {
  for (auto& member : x.members)
    if (member.name == added.name || member.address == added.address)
      return failure{errc::invalid_parameter, added.name + '=' + added.address
                                                + ": there is a member " + member.name + '='
                                                + member.address + " already"};
  if (x.members.size() >= members_max)
    return failure{errc::invalid_parameter,
                   "a cluster has at most " + std::to_string(members_max) + " members"};
  auto next = x;
  ++next.version;
  next.members.push_back(std::move(added));
  return next;
}

result<membership> without_member(const membership& x, std::string_view name) {
  if (!x.find(name))
    return failure{errc::not_found, "there is no such member in the list"};
  if (x.members.size() == 1)
    return failure{errc::invalid_parameter, "the last member cannot be removed"};
  auto next = x;
  ++next.version;
  std::erase_if(next.members, [&](auto& member) { return member.name == name; });
  return next;
}

std::string to_text(const membership& x) {
  return json{{"kind", kind}, {"version", x.version}, {"members", to_texts(x)}}.dump() + '\n';
}

std::optional<membership> parse_membership(std::string_view text) {
  try {
    auto in = json::parse(text);
    if (in.at("kind").get<std::string>() != kind)
      return std::nullopt;
    membership x;
    x.version = in.at("version").get<uint64_t>();
    for (auto& item : in.at("members")) {
      auto member = parse_member(item.get<std::string>());
      if (!member || x.find(member->name))
        return std::nullopt;
      x.members.push_back(std::move(*member));
    }
    if (x.members.empty() || x.members.size() > members_max)
      return std::nullopt;
    return x;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

} // namespace tidings
