#include "actors/cluster/request_codec.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace tidings {

namespace {

using nlohmann::json;

json to_json(const event& x) {
  json out{{"topics", x.topics}, {"data", x.data}, {"kind", static_cast<int>(x.kind)}};
  if (!x.type.empty())
    out["type"] = x.type;
  if (!x.id.empty())
    out["id"] = x.id;
  if (x.mail)
    out["mail"] = {{"title", x.mail->title},
                   {"message", x.mail->message},
                   {"level", static_cast<int>(x.mail->level)}};
  return out;
}

/// Throws json::exception.
event to_event(const json& x) {
  event out;
  out.topics = x.at("topics").get<std::vector<std::string>>();
  out.data = x.at("data").get<std::string>();
  out.type = x.value("type", "");
  out.id = x.value("id", "");
  auto kind = x.at("kind").get<int>();
  if (out.topics.empty() || kind < 0 || kind > static_cast<int>(data_kind::base64))
    throw json::other_error::create(501, "no such event", nullptr);
  out.kind = static_cast<data_kind>(kind);
  if (auto i = x.find("mail"); i != x.end()) {
    auto level = i->at("level").get<int>();
    if (level < 0 || level > static_cast<int>(priority::critical))
      throw json::other_error::create(501, "no such priority", nullptr);
    out.mail = std::make_shared<const mail>(mail{i->at("title").get<std::string>(),
                                                 i->at("message").get<std::string>(),
                                                 static_cast<priority>(level)});
  }
  return out;
}

/// Throws json::exception.
durability to_level(const json& x) {
  auto n = x.get<int>();
  if (n < 0 || n > static_cast<int>(durability::quorum))
    throw json::other_error::create(501, "no such level", nullptr);
  return static_cast<durability>(n);
}

} // namespace

std::string encode_delivery(const record& x) {
  return json{{"event", to_json(x.content)}, {"time", x.time_ms}}.dump();
}

std::optional<std::vector<record>> decode_deliveries(std::string_view body) {
  try {
    std::vector<record> found;
    for (auto& item : json::parse(body)) {
      auto& x = found.emplace_back();
      x.content = to_event(item.at("event"));
      x.content.ephemeral = true;
      x.time_ms = item.at("time").get<int64_t>();
    }
    return found;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::string encode_publications(const publish_request& x) {
  auto items = json::array();
  for (auto& item : x.items) {
    json out{{"event", to_json(item.what.content)}};
    if (!item.what.key.empty()) {
      out["key"] = item.what.key;
      out["fingerprint"] = item.what.fingerprint;
    }
    if (item.what.ttl)
      out["ttl"] = item.what.ttl->count();
    if (item.what.level)
      out["level"] = static_cast<int>(*item.what.level);
    items.push_back(std::move(out));
  }
  return json{{"atomic", x.atomic}, {"items", std::move(items)}}.dump();
}

publish_ptr decode_publications(std::string_view body) {
  try {
    auto in = json::parse(body);
    auto x = std::make_shared<publish_request>();
    x->atomic = in.at("atomic").get<bool>();
    for (auto& from : in.at("items")) {
      auto& item = x->items.emplace_back();
      item.what.content = to_event(from.at("event"));
      item.topic = item.what.content.topics.front();
      item.what.key = from.value("key", "");
      item.what.fingerprint = from.value("fingerprint", uint64_t{0});
      if (auto ttl = from.find("ttl"); ttl != from.end())
        item.what.ttl = milliseconds{ttl->get<int64_t>()};
      if (auto level = from.find("level"); level != from.end())
        item.what.level = to_level(*level);
    }
    return x->items.empty() ? nullptr : x;
  } catch (const json::exception&) {
    return nullptr;
  }
}

std::string encode_outcomes(const publish_request& x) {
  auto items = json::array();
  for (auto& item : x.items) {
    auto& outcome = item.outcome;
    if (outcome.refused) {
      items.push_back(
        {{"code", static_cast<int>(outcome.refused->code)}, {"detail", outcome.refused->detail}});
      continue;
    }
    items.push_back({{"node", outcome.node},
                     {"incarnation", outcome.origin.incarnation},
                     {"sequence", outcome.origin.sequence},
                     {"time", outcome.time_ms},
                     {"level", static_cast<int>(outcome.level)},
                     {"nodes", outcome.nodes},
                     {"duplicate", outcome.duplicate}});
  }
  return items.dump();
}

bool decode_outcomes(std::string_view body, publish_request& to) {
  try {
    auto items = json::parse(body);
    if (items.size() != to.items.size())
      return false;
    std::vector<publish_outcome> found;
    for (auto& from : items) {
      auto& x = found.emplace_back();
      if (auto code = from.find("code"); code != from.end()) {
        x.refused = failure{static_cast<errc>(code->get<uint8_t>()), from.value("detail", "")};
        continue;
      }
      x.node = from.at("node").get<uint64_t>();
      x.origin.incarnation = from.at("incarnation").get<uint64_t>();
      x.origin.sequence = from.at("sequence").get<uint64_t>();
      x.time_ms = from.at("time").get<int64_t>();
      x.level = to_level(from.at("level"));
      x.nodes = from.at("nodes").get<uint32_t>();
      x.duplicate = from.at("duplicate").get<bool>();
    }
    for (size_t i = 0; i < found.size(); ++i)
      to.items[i].outcome = std::move(found[i]);
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

} // namespace tidings
