#pragma once

#include "fuzz/fuzz.hpp"
#include "support/sse_parser.hpp"
#include "tidings/batch.hpp"
#include "tidings/publication.hpp"
#include "tidings/text.hpp"
#include "tidings/topic.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace tidings::fuzz {

/// What a browser makes of it must be what was published: no field of an event may reach into the
/// framing.
inline void check_event_on_the_wire(const event& x) {
  std::vector<std::string_view> topics{x.topics.begin(), x.topics.end()};
  envelope what{"c1.AA", "e1.AA", topics, x.type, x.id, x.data, x.kind};
  std::string wire;
  append_wire(wire, wire_format::sse_data, what);
  sse_parser browser;
  browser.push(wire);
  require(browser.events.size() == 1, "one event is one event");
  require(browser.events[0].id == "c1.AA", "the id is ours");
  require(browser.events[0].type == (x.type.empty() ? "message" : x.type), "the type is theirs");
  std::string joined;
  for (size_t i = 0; i < x.data.size(); ++i)
    if (x.data[i] != '\r')
      joined += x.data[i];
    else if (i + 1 == x.data.size() || x.data[i + 1] != '\n')
      joined += '\n';
  require(browser.events[0].data == joined, "the data is theirs");
  for (auto format : {wire_format::ndjson, wire_format::sse_envelope}) {
    wire.clear();
    append_wire(wire, format, what);
    auto json = wire;
    if (format == wire_format::sse_envelope) {
      sse_parser reader;
      reader.push(wire);
      require(reader.events.size() == 1, "one envelope is one event");
      json = reader.events[0].data;
    } else {
      require(wire.find('\n') + 1 == wire.size(), "one envelope is one line");
    }
    auto parsed = nlohmann::json::parse(json, nullptr, false);
    require(parsed.is_object(), "an envelope is a JSON object");
    require(parsed["topic"] == x.topics[0], "the topic is theirs");
    if (x.kind != data_kind::json)
      require(parsed["data"] == x.data, "the data in the envelope is theirs");
  }
}

inline void check_publication(const publication& x) {
  require(!x.content.topics.empty(), "an event has a topic");
  for (auto& topic : x.content.topics)
    require(!validate_topic(topic), "a topic is valid");
  for (auto* text : {&x.content.type, &x.content.id})
    require(is_utf8(*text) && is_single_line(*text), "type and id are lines");
  require(!x.content.type.starts_with("tidings."), "our types are ours");
  require(is_utf8(x.content.data), "data is UTF-8");
  if (x.content.kind == data_kind::json)
    require(nlohmann::json::accept(x.content.data), "JSON is JSON");
  check_event_on_the_wire(x.content);
}

} // namespace tidings::fuzz
