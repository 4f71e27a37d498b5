#define CAF_SUITE batch

#include "tidings/batch.hpp"

#include "support/sse_parser.hpp"
#include "tidings/cursor.hpp"

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <random>
#include <thread>

namespace {

using namespace tidings;
using nlohmann::json;

constexpr uint64_t node = 0x0102030405060708;
constexpr wire_format formats[] = {wire_format::sse, wire_format::sse_envelope, wire_format::ndjson,
                                   wire_format::sse_data, wire_format::notification};

record make_record(uint64_t number, std::string data, data_kind kind = data_kind::text) {
  record x;
  x.position = lsn{number};
  x.node = node;
  x.origin = {3, number};
  x.time_ms = 1795241968123;
  x.content.topics = {"orders"};
  x.content.data = std::move(data);
  x.content.kind = kind;
  return x;
}

std::string id_of(const record& x) {
  return cursor{node, x.origin}.to_string();
}

std::string_view chunk(const committed_batch::encoded& x, size_t i) {
  auto& at = x.spans[i];
  return std::string_view{x.bytes}.substr(at.chunk_begin, at.chunk_end - at.chunk_begin);
}

std::string_view frame(const committed_batch::encoded& x, size_t i) {
  auto& at = x.spans[i];
  return std::string_view{x.bytes}.substr(at.frame_begin, at.frame_end - at.frame_begin);
}

/// What a client sees of a chunked body, read by the rules of RFC 9112.
std::string dechunk(std::string_view body) {
  std::string out;
  while (!body.empty()) {
    auto line = body.substr(0, body.find("\r\n"));
    CAF_REQUIRE_EQUAL(line.find_first_not_of("0123456789abcdef"), std::string_view::npos);
    auto size = std::stoul(std::string{line}, nullptr, 16);
    CAF_REQUIRE_NOT_EQUAL(size, 0u);
    body.remove_prefix(line.size() + 2);
    CAF_REQUIRE_EQUAL(std::string{body.substr(size, 2)}, "\r\n");
    out += body.substr(0, size);
    body.remove_prefix(size + 2);
  }
  return out;
}

std::string envelope_of(const envelope& x) {
  std::string out;
  append_envelope_json(out, x);
  return out;
}

const std::vector<std::string_view> one_topic{"orders"};

CAF_TEST(an envelope shows its fields in a fixed order) {
  const std::vector<std::string_view> topics{"orders", "order:17"};
  envelope x{"c1.Q",           "c1.AA",         topics,        "paid",       "a-1",
             "{\"total\":12}", data_kind::json, 1795241968123, 1795241968124};
  CAF_CHECK_EQUAL(envelope_of(x),
                  "{\"id\":\"c1.AA\",\"topic\":\"orders\",\"topics\":[\"orders\",\"order:17\"],"
                  "\"type\":\"paid\",\"time\":\"2026-11-21T06:19:28.123Z\","
                  "\"expires\":\"2026-11-21T06:19:28.124Z\",\"event_id\":\"a-1\","
                  "\"data\":{\"total\":12}}");
}

CAF_TEST(an envelope leaves out what an event does not have) {
  CAF_CHECK_EQUAL(envelope_of({"", "", one_topic, "", "", "hi \"you\"\n"}),
                  "{\"id\":null,\"topic\":\"orders\",\"topics\":[\"orders\"],\"type\":\"message\","
                  "\"time\":\"1970-01-01T00:00:00.000Z\",\"data\":\"hi \\\"you\\\"\\n\"}");
}

CAF_TEST(binary data is marked) {
  auto x = json::parse(envelope_of({"", "", one_topic, "", "", "AAE=", data_kind::base64}));
  CAF_CHECK_EQUAL(x.at("encoding").get<std::string>(), "base64");
  CAF_CHECK_EQUAL(x.at("data").get<std::string>(), "AAE=");
}

CAF_TEST(JSON data is embedded as it is but on one line) {
  auto text =
    envelope_of({"", "", one_topic, "", "", "{\r\n  \"a\\n\": [1.10,\n1e2]\r}", data_kind::json});
  CAF_CHECK(text.ends_with("\"data\":{    \"a\\n\": [1.10, 1e2] }}"));
  CAF_CHECK(json::accept(text));
}

CAF_TEST(any event survives every format) {
  std::mt19937_64 random{20261121};
  auto text = [&](std::string_view alphabet) {
    std::string x;
    for (auto n = random() % 12; n != 0; --n)
      x += alphabet[random() % alphabet.size()];
    return x;
  };
  for (int i = 0; i < 3000; ++i) {
    auto id = "c1." + text("AQgw");
    std::vector<std::string> names{"t" + text("a:\"\\"), "u" + text("b/.'")};
    std::vector<std::string_view> topics{names.begin(), names.end()};
    auto type = text("xy \"\\");
    auto event_id = text("e-\"\\");
    auto data = text("ab\n\n\t\"\\ :{}");
    envelope x{id, id, topics, type, event_id, data, data_kind::text, 1, 2};
    std::string plain, wrapped, line;
    append_wire(plain, wire_format::sse, x);
    append_wire(wrapped, wire_format::sse_envelope, x);
    append_wire(line, wire_format::ndjson, x);
    sse_parser client;
    client.push(plain + wrapped);
    CAF_REQUIRE_EQUAL(client.events.size(), 2u);
    for (auto& seen : client.events) {
      CAF_REQUIRE_EQUAL(seen.id, id);
      CAF_REQUIRE_EQUAL(seen.type, type.empty() ? "message" : type);
    }
    CAF_REQUIRE_EQUAL(client.events[0].data, data);
    CAF_REQUIRE_EQUAL(client.events[1].data + '\n', line);
    CAF_REQUIRE_EQUAL(line.find('\n'), line.size() - 1);
    auto seen = json::parse(line);
    CAF_REQUIRE_EQUAL(seen.at("id").get<std::string>(), id);
    CAF_REQUIRE(seen.at("topics").get<std::vector<std::string>>() == names);
    CAF_REQUIRE_EQUAL(seen.at("topic").get<std::string>(), names[0]);
    CAF_REQUIRE_EQUAL(seen.at("data").get<std::string>(), data);
    CAF_REQUIRE_EQUAL(seen.value("event_id", ""), event_id);
  }
}

CAF_TEST(an event becomes one chunk around one frame) {
  committed_batch batch{{}, false, {make_record(1, "hi")}};
  auto& x = batch.as(wire_format::sse);
  auto expected = "id: " + id_of(batch.records()[0]) + "\ndata: hi\n\n";
  CAF_CHECK_EQUAL(std::string{frame(x, 0)}, expected);
  CAF_CHECK_EQUAL(expected.size(), 0x21u);
  CAF_CHECK_EQUAL(x.bytes, "21\r\n" + expected + "\r\n");
}

CAF_TEST(the records of a batch follow each other in every format) {
  std::vector<record> records;
  for (uint64_t i = 1; i <= 200; ++i)
    records.push_back(make_record(i, std::string(i * i % 5000, i % 7 ? 'x' : '\n')));
  records[5].content.ephemeral = true;
  records[6].content.type = "paid";
  committed_batch batch{{}, false, records};
  CAF_CHECK(batch.last() == lsn{200});
  for (auto format : formats) {
    auto& x = batch.as(format);
    CAF_REQUIRE_EQUAL(x.spans.size(), records.size());
    uint32_t end = 0;
    std::string frames;
    for (size_t i = 0; i < records.size(); ++i) {
      auto& what = records[i].content;
      auto id = what.ephemeral ? std::string{} : id_of(records[i]);
      std::string expected;
      append_wire(
        expected, format,
        {id, id, one_topic, what.type, what.id, what.data, what.kind, records[i].time_ms, 0});
      if (x.spans[i].chunk_begin != end || frame(x, i) != expected
          || dechunk(chunk(x, i)) != expected)
        CAF_FAIL("record " << i);
      end = x.spans[i].chunk_end;
      frames += expected;
    }
    CAF_CHECK_EQUAL(end, x.bytes.size());
    CAF_CHECK(dechunk(x.bytes) == frames);
  }
}

CAF_TEST(ephemeral events have no id) {
  auto record = make_record(4, "now");
  record.content.ephemeral = true;
  committed_batch batch{{}, false, {record}};
  CAF_CHECK_EQUAL(std::string{frame(batch.as(wire_format::sse), 0)}, "data: now\n\n");
  CAF_CHECK(json::parse(frame(batch.as(wire_format::ndjson), 0)).at("id").is_null());
}

CAF_TEST(the ids of a batch go on from where the log stood) {
  auto own = make_record(4, "a");
  auto foreign = make_record(5, "b");
  foreign.node = node + 1;
  auto again = make_record(5, "c");
  again.position = lsn{6};
  cursor before{node, {2, 9}};
  before.set(node + 2, {1, 1});
  committed_batch batch{before, true, {own, foreign, again}};
  auto expected = before;
  for (size_t i = 0; i < 3; ++i) {
    auto& x = batch.records()[i];
    expected.set(x.node, x.origin);
    CAF_CHECK(batch.cursor_at(i) == expected);
    CAF_CHECK_EQUAL(std::string{frame(batch.as(wire_format::sse), i)},
                    "id: " + expected.to_string() + "\ndata: " + x.content.data + "\n\n");
    // Objects show the event's own name, which is the same on every node.
    CAF_CHECK_EQUAL(
      json::parse(frame(batch.as(wire_format::ndjson), i)).at("id").get<std::string>(),
      (event_id{x.node, x.origin}.to_string(true)));
  }
  CAF_CHECK(batch.end() == expected);
}

CAF_TEST(of a record without topics nothing is sent but its place counts) {
  auto gone = make_record(1, "");
  gone.content.topics.clear();
  auto x = make_record(2, "hi");
  committed_batch batch{{}, false, {gone, x}};
  for (auto format : formats) {
    CAF_CHECK(frame(batch.as(format), 0).empty());
    CAF_CHECK(!frame(batch.as(format), 1).empty());
  }
  CAF_CHECK(batch.cursor_at(0) == (cursor{node, {3, 1}}));
}

CAF_TEST(any number of threads shares one encoding) {
  std::vector<record> records;
  for (uint64_t i = 1; i <= 1000; ++i)
    records.push_back(make_record(i, "payload"));
  committed_batch batch{{}, false, records};
  const committed_batch::encoded* seen[8][wire_format_count];
  std::vector<std::thread> threads;
  for (auto& mine : seen)
    threads.emplace_back([&] {
      for (size_t i = 0; i < wire_format_count; ++i)
        mine[i] = &batch.as(formats[i]);
    });
  for (auto& x : threads)
    x.join();
  for (auto& theirs : seen)
    for (size_t i = 0; i < wire_format_count; ++i)
      CAF_CHECK(theirs[i] == &batch.as(formats[i]));
  CAF_CHECK_EQUAL(batch.as(wire_format::sse).spans.size(), 1000u);
}

CAF_TEST(a walk through a batch stands where its records do) {
  std::vector<record> xs(20);
  for (size_t i = 0; i < xs.size(); ++i) {
    xs[i].node = 1 + i % 3;
    xs[i].origin = {1, 1 + i};
    xs[i].content.ephemeral = i % 7 == 3;
  }
  auto batch = std::make_shared<committed_batch>(cursor{}, true, xs);
  batch_walk walk{*batch};
  for (size_t i = 0; i < xs.size(); i += 1 + i % 3)
    CAF_CHECK_EQUAL(walk.cursor_at(i).to_string(), batch->cursor_at(i).to_string());
  CAF_CHECK_EQUAL(walk.cursor_at(xs.size() - 1).to_string(), batch->end().to_string());
}

CAF_TEST(the weight grows with what is held) {
  committed_batch small{{}, false, {make_record(1, "x")}};
  committed_batch large{{}, false, {make_record(1, std::string(100'000, 'x'))}};
  CAF_CHECK_GREATER_OR_EQUAL(small.weight(),
                             sizeof(record) + small.as(wire_format::sse).bytes.size());
  CAF_CHECK_GREATER_OR_EQUAL(large.weight(), 100'000 + large.as(wire_format::sse).bytes.size());
  CAF_CHECK_LESS(large.weight(), 300'000u);
}

// -- items of mailboxes
// ----------------------------------------------------------------------------

std::string item_of(const envelope& x, std::optional<item_state> state = std::nullopt) {
  std::string out;
  append_item_json(out, x, state);
  return out;
}

CAF_TEST(an item shows its fields in a fixed order) {
  mail_view mail{"Hi \"you\"", "two\nlines", priority::critical};
  envelope x{"c1.Q",           "c1.AA",         one_topic,     "paid",        "a-1",
             "{\"total\":12}", data_kind::json, 1795241968123, 1795241968124, &mail};
  const std::string members =
    "{\"id\":\"c1.AA\",\"type\":\"paid\",\"title\":\"Hi \\\"you\\\"\",\"message\":\"two\\nlines\","
    "\"priority\":\"CRITICAL\",\"created\":\"2026-11-21T06:19:28.123Z\","
    "\"expires\":\"2026-11-21T06:19:28.124Z\",\"data\":{\"total\":12}";
  CAF_CHECK_EQUAL(item_of(x), members + "}");
  CAF_CHECK_EQUAL(item_of(x, item_state::seen), members + ",\"state\":\"seen\"}");
  CAF_CHECK_EQUAL(
    envelope_of(x),
    "{\"id\":\"c1.AA\",\"topic\":\"orders\",\"topics\":[\"orders\"],\"type\":\"paid\","
    "\"time\":\"2026-11-21T06:19:28.123Z\",\"expires\":\"2026-11-21T06:19:28.124Z\","
    "\"event_id\":\"a-1\",\"title\":\"Hi \\\"you\\\"\",\"message\":\"two\\nlines\","
    "\"priority\":\"CRITICAL\",\"data\":{\"total\":12}}");
}

CAF_TEST(an item leaves out what it does not have) {
  mail_view mail;
  CAF_CHECK_EQUAL(
    item_of({"", "", one_topic, "", "", "", data_kind::text, 0, 0, &mail}),
    "{\"id\":null,\"type\":\"message\",\"title\":\"\",\"message\":\"\","
    "\"priority\":\"NORMAL\",\"created\":\"1970-01-01T00:00:00.000Z\",\"data\":null}");
  auto binary =
    json::parse(item_of({"", "", one_topic, "", "", "AAE=", data_kind::base64, 0, 0, &mail}));
  CAF_CHECK_EQUAL(binary.at("encoding").get<std::string>(), "base64");
  CAF_CHECK_EQUAL(binary.at("data").get<std::string>(), "AAE=");
  auto text = json::parse(item_of({"", "", one_topic, "", "", "{", data_kind::text, 0, 0, &mail}));
  CAF_CHECK_EQUAL(text.at("data").get<std::string>(), "{");
}

CAF_TEST(any item survives every format) {
  std::mt19937_64 random{20261122};
  auto text = [&](std::string_view alphabet) {
    std::string x;
    for (auto n = random() % 12; n != 0; --n)
      x += alphabet[random() % alphabet.size()];
    return x;
  };
  for (int i = 0; i < 1000; ++i) {
    auto title = text("ab \"\\:{}");
    auto message = text("ab\n\n\t\"\\ :{}");
    auto data = text("ab\n\r\t\"\\");
    auto type = text("xy");
    mail_view mail{title, message, static_cast<priority>(random() % 4)};
    envelope x{"c1.AA", "c1.AA", one_topic, type, "", data, data_kind::text, 1, 0, &mail};
    std::string plain, wrapped, line;
    append_wire(plain, wire_format::sse, x);
    append_wire(wrapped, wire_format::sse_envelope, x);
    append_wire(line, wire_format::ndjson, x);
    sse_parser client;
    client.push(plain + wrapped);
    CAF_REQUIRE_EQUAL(client.events.size(), 2u);
    CAF_REQUIRE_EQUAL(client.events[0].type, type.empty() ? "message" : type);
    CAF_REQUIRE_EQUAL(client.events[0].data, item_of(x));
    CAF_REQUIRE_EQUAL(client.events[1].data + '\n', line);
    for (auto& seen : {json::parse(client.events[0].data), json::parse(line)}) {
      CAF_REQUIRE_EQUAL(seen.at("title").get<std::string>(), title);
      CAF_REQUIRE_EQUAL(seen.at("message").get<std::string>(), message);
      CAF_REQUIRE_EQUAL(seen.at("priority").get<std::string>(), to_string(mail.level));
      if (data.empty() && !seen.contains("topic"))
        CAF_REQUIRE(seen.at("data").is_null());
      else
        CAF_REQUIRE_EQUAL(seen.at("data").get<std::string>(), data);
    }
  }
}

CAF_TEST(a batch sends items as items and the others as before) {
  auto item = make_record(1, "[1,\n2]", data_kind::json);
  item.content.mail = std::make_shared<mail>(mail{"T", "M", priority::low});
  auto plain = make_record(2, "hi");
  committed_batch batch{{}, false, {item, plain}};
  auto& x = batch.as(wire_format::sse);
  CAF_CHECK_EQUAL(std::string{frame(x, 0)},
                  "id: " + id_of(item) + "\ndata: {\"id\":\"" + id_of(item)
                    + "\",\"type\":\"message\",\"title\":\"T\",\"message\":\"M\","
                      "\"priority\":\"LOW\",\"created\":\"2026-11-21T06:19:28.123Z\","
                      "\"data\":[1, 2]}\n\n");
  CAF_CHECK_EQUAL(std::string{frame(x, 1)}, "id: " + id_of(plain) + "\ndata: hi\n\n");
  auto line = json::parse(frame(batch.as(wire_format::ndjson), 0));
  CAF_CHECK_EQUAL(line.at("title").get<std::string>(), "T");
  CAF_CHECK(!json::parse(frame(batch.as(wire_format::ndjson), 1)).contains("title"));
  auto heavy = item;
  heavy.content.mail = std::make_shared<mail>(mail{"T", std::string(100'000, 'x'), priority::low});
  committed_batch large{{}, false, {heavy}};
  CAF_CHECK_GREATER_OR_EQUAL(large.weight(), 100'000 + large.as(wire_format::sse).bytes.size());
}

} // namespace
