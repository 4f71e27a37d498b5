#include "actors/views/view_codec.hpp"

#include <nlohmann/json.hpp>

namespace tidings {

namespace {

using nlohmann::json;

/// What a client sent may be anything.
std::string dump(const json& x) {
  return x.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Names separated by commas, as many as fit.
std::string cut_names(const std::string& names, size_t bytes_max) {
  if (names.size() <= bytes_max)
    return names;
  auto end = names.rfind(',', bytes_max);
  return end == names.npos ? std::string{} : names.substr(0, end);
}

/// One that asked for very many topics must not keep the others out of an answer.
json to_json(const connection_info& x, size_t names_bytes_max) {
  auto topics = cut_names(x.topics, names_bytes_max);
  auto types = cut_names(x.types, names_bytes_max);
  auto truncated = topics.size() < x.topics.size() || types.size() < x.types.size();
  return {{"id", x.id},
          {"address", x.address},
          {"user", x.user},
          {"topics", std::move(topics)},
          {"types", std::move(types)},
          {"truncated", truncated},
          {"since", x.since_ms},
          {"state", x.state},
          {"cursor", x.cursor},
          {"events", x.events},
          {"bytes", x.bytes},
          {"dropped", x.dropped}};
}

/// Throws json::exception.
connection_info to_connection(const json& x) {
  connection_info y;
  y.id = x.at("id").get<uint64_t>();
  y.address = x.at("address").get<std::string>();
  y.user = x.at("user").get<std::string>();
  y.topics = x.at("topics").get<std::string>();
  y.types = x.at("types").get<std::string>();
  y.truncated = x.at("truncated").get<bool>();
  y.since_ms = x.at("since").get<int64_t>();
  y.state = x.at("state").get<std::string>();
  y.cursor = x.at("cursor").get<std::string>();
  y.events = x.at("events").get<uint64_t>();
  y.bytes = x.at("bytes").get<uint64_t>();
  y.dropped = x.at("dropped").get<uint64_t>();
  return y;
}

struct question_writer {
  json operator()(const numbers_query&) const {
    return {{"ask", "numbers"}};
  }

  json operator()(const connection_query& x) const {
    return {{"ask", "connections"},
            {"after", x.after},
            {"limit", x.limit},
            {"topic", x.topic},
            {"user", x.user}};
  }

  json operator()(const close_order& x) const {
    return {{"ask", "close"}, {"id", x.id}};
  }
};

struct answer_writer {
  size_t bytes_max;

  std::string operator()(const node_numbers& x) const {
    return dump({{"version", x.version},
                 {"uptime", x.uptime_seconds},
                 {"counts", x.counts},
                 {"sizes", x.sizes}});
  }

  std::string operator()(const connection_page& x) const {
    std::string list;
    auto more = x.more;
    for (auto& one : x.found) {
      auto text = dump(to_json(one, bytes_max / 8));
      if (!list.empty() && list.size() + text.size() > bytes_max) {
        more = true;
        break;
      }
      list += list.empty() ? "" : ",";
      list += text;
    }
    return "{\"connections\":[" + list + "],\"more\":" + (more ? "true" : "false")
           + ",\"total\":" + std::to_string(x.total) + '}';
  }

  std::string operator()(bool x) const {
    return dump({{"closed", x}});
  }
};

/// Reads the answer to the question that it is called with. Throws json::exception.
struct answer_reader {
  const json& in;

  view_answer operator()(const numbers_query&) const {
    node_numbers x;
    x.version = in.at("version").get<std::string>();
    x.uptime_seconds = in.at("uptime").get<uint64_t>();
    x.counts = in.at("counts").get<node_numbers::list>();
    x.sizes = in.at("sizes").get<node_numbers::list>();
    return x;
  }

  view_answer operator()(const connection_query&) const {
    connection_page x;
    for (auto& one : in.at("connections"))
      x.found.push_back(to_connection(one));
    x.more = in.at("more").get<bool>();
    x.total = in.at("total").get<uint64_t>();
    return x;
  }

  view_answer operator()(const close_order&) const {
    return in.at("closed").get<bool>();
  }
};

} // namespace

std::string encode_question(const view_question& x) {
  return dump(std::visit(question_writer{}, x));
}

std::optional<view_question> decode_question(std::string_view body) {
  try {
    auto in = json::parse(body);
    auto what = in.at("ask").get<std::string>();
    if (what == "numbers")
      return numbers_query{};
    if (what == "close")
      return close_order{in.at("id").get<uint64_t>()};
    if (what != "connections")
      return std::nullopt;
    connection_query x;
    x.after = in.at("after").get<uint64_t>();
    x.limit = in.at("limit").get<size_t>();
    x.topic = in.at("topic").get<std::string>();
    x.user = in.at("user").get<std::string>();
    return x;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::string encode_answer(const view_answer& x, size_t bytes_max) {
  return std::visit(answer_writer{bytes_max}, x);
}

std::optional<view_answer> decode_answer(std::string_view body, const view_question& asked) {
  try {
    auto in = json::parse(body);
    return std::visit(answer_reader{in}, asked);
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

} // namespace tidings
