#include "actors/cluster/membership_codec.hpp"

#include <nlohmann/json.hpp>

namespace tidings {

namespace {

using nlohmann::json;

} // namespace

std::string encode_change(const cluster::change_request& x) {
  return json{{"removal", x.is_removal},
              {"name", x.member.name},
              {"address", x.member.address},
              {"force", x.force}}
    .dump();
}

std::optional<cluster::change_request> decode_change(std::string_view body) {
  try {
    auto in = json::parse(body);
    cluster::change_request x;
    x.is_removal = in.at("removal").get<bool>();
    x.member.name = in.at("name").get<std::string>();
    x.member.address = in.at("address").get<std::string>();
    x.force = in.at("force").get<bool>();
    return x;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::string encode_change_outcome(const cluster::change_outcome& x) {
  if (x.refused)
    return json{{"code", static_cast<int>(x.refused->code)}, {"detail", x.refused->detail}}.dump();
  return json{{"list", to_text(x.list)}, {"untold", x.untold}}.dump();
}

std::optional<cluster::change_outcome> decode_change_outcome(std::string_view body) {
  try {
    auto in = json::parse(body);
    cluster::change_outcome x;
    if (in.contains("code")) {
      x.refused = failure{static_cast<errc>(in.at("code").get<uint8_t>()),
                          in.at("detail").get<std::string>()};
      return x;
    }
    auto list = parse_membership(in.at("list").get<std::string>());
    if (!list)
      return std::nullopt;
    x.list = std::move(*list);
    x.untold = in.at("untold").get<std::vector<std::string>>();
    return x;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::string encode_heads(const std::vector<cluster::origin_head>& xs) {
  auto out = json::array();
  for (auto& x : xs)
    out.push_back({x.node, x.at.incarnation, x.at.sequence, x.chain});
  return out.dump();
}

std::optional<std::vector<cluster::origin_head>> decode_heads(std::string_view body) {
  try {
    std::vector<cluster::origin_head> xs;
    for (auto& x : json::parse(body))
      xs.push_back({x.at(0).get<uint64_t>(),
                    {x.at(1).get<uint64_t>(), x.at(2).get<uint64_t>()},
                    x.at(3).get<uint64_t>()});
    return xs;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

} // namespace tidings
