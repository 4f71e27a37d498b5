#define CAF_SUITE request_codec

#include "actors/cluster/request_codec.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;

namespace {

event full_event() {
  event x;
  x.topics = {"orders", "order:\"17\""};
  x.type = "paid \xe2\x82\xac";
  x.data = "{\"total\":12}\nline\ttwo";
  x.id = "a-1";
  x.kind = data_kind::json;
  x.mail = std::make_shared<const mail>(mail{"title", "message", priority::critical});
  return x;
}

event plain_event() {
  event x;
  x.topics = {"t"};
  return x;
}

void check_same(const event& x, const event& y) {
  CAF_CHECK(x.topics == y.topics);
  CAF_CHECK_EQUAL(x.type, y.type);
  CAF_CHECK_EQUAL(x.data, y.data);
  CAF_CHECK_EQUAL(x.id, y.id);
  CAF_CHECK(x.kind == y.kind);
  CAF_CHECK_EQUAL(x.mail != nullptr, y.mail != nullptr);
  if (!x.mail || !y.mail)
    return;
  CAF_CHECK_EQUAL(x.mail->title, y.mail->title);
  CAF_CHECK_EQUAL(x.mail->message, y.mail->message);
  CAF_CHECK(x.mail->level == y.mail->level);
}

publish_request two_publications() {
  publish_request x;
  x.atomic = true;
  x.items.resize(2);
  auto& full = x.items[0].what;
  full.content = full_event();
  full.key = "k:1";
  full.fingerprint = 0xffff'ffff'ffff'ffff;
  full.ttl = milliseconds{0};
  full.level = durability::fsync;
  x.items[1].what.content = plain_event();
  return x;
}

publish_request outcomes() {
  publish_request x;
  x.items.resize(3);
  auto& stored = x.items[0].outcome;
  stored.node = 0xffff'ffff'ffff'fffe;
  stored.origin = {5, 6};
  stored.time_ms = 1'700'000'000'123;
  stored.level = durability::quorum;
  stored.nodes = 2;
  x.items[1].outcome.duplicate = true;
  x.items[2].outcome.refused = failure{errc::rate_limited, "too many \"publishes\""};
  return x;
}

} // namespace

CAF_TEST(deliveries arrive as they were and are not stored) {
  record full, plain;
  full.content = full_event();
  full.time_ms = 1'700'000'000'123;
  plain.content = plain_event();
  auto found = decode_deliveries('[' + encode_delivery(full) + ',' + encode_delivery(plain) + ']');
  CAF_REQUIRE(found);
  CAF_REQUIRE_EQUAL(found->size(), 2u);
  check_same((*found)[0].content, full.content);
  check_same((*found)[1].content, plain.content);
  CAF_CHECK_EQUAL((*found)[0].time_ms, full.time_ms);
  for (auto& x : *found)
    CAF_CHECK(x.content.ephemeral);
}

CAF_TEST(publications arrive as they were) {
  auto sent = two_publications();
  auto found = decode_publications(encode_publications(sent));
  CAF_REQUIRE(found);
  CAF_CHECK(found->atomic);
  CAF_REQUIRE_EQUAL(found->items.size(), 2u);
  auto& full = found->items[0];
  check_same(full.what.content, sent.items[0].what.content);
  CAF_CHECK_EQUAL(full.topic, "orders");
  CAF_CHECK_EQUAL(full.what.key, "k:1");
  CAF_CHECK_EQUAL(full.what.fingerprint, 0xffff'ffff'ffff'ffffu);
  CAF_CHECK(full.what.ttl == milliseconds{0});
  CAF_CHECK(full.what.level == durability::fsync);
  auto& plain = found->items[1];
  check_same(plain.what.content, sent.items[1].what.content);
  CAF_CHECK_EQUAL(plain.what.key, "");
  CAF_CHECK(!plain.what.ttl);
  CAF_CHECK(!plain.what.level);
}

CAF_TEST(outcomes arrive as they were) {
  auto sent = outcomes();
  publish_request found;
  found.items.resize(3);
  CAF_REQUIRE(decode_outcomes(encode_outcomes(sent), found));
  auto& stored = found.items[0].outcome;
  CAF_CHECK_EQUAL(stored.node, 0xffff'ffff'ffff'fffeu);
  CAF_CHECK((stored.origin == origin_position{5, 6}));
  CAF_CHECK_EQUAL(stored.time_ms, 1'700'000'000'123);
  CAF_CHECK(stored.level == durability::quorum);
  CAF_CHECK_EQUAL(stored.nodes, 2u);
  CAF_CHECK(!stored.duplicate);
  CAF_CHECK(!stored.refused);
  CAF_CHECK(found.items[1].outcome.duplicate);
  CAF_REQUIRE(found.items[2].outcome.refused);
  CAF_CHECK(found.items[2].outcome.refused->code == errc::rate_limited);
  CAF_CHECK_EQUAL(found.items[2].outcome.refused->detail, "too many \"publishes\"");
}

CAF_TEST(outcomes are for as many publications) {
  auto text = encode_outcomes(outcomes());
  for (size_t n : {0, 1, 2, 4}) {
    publish_request x;
    x.items.resize(n);
    CAF_CHECK(!decode_outcomes(text, x));
  }
}

CAF_TEST(outcomes that cannot be read change nothing) {
  publish_request x;
  x.items.resize(2);
  x.items[0].outcome.nodes = 9;
  auto good = R"({"node":1,"incarnation":1,"sequence":1,"time":1,"level":1,"nodes":1,)"
              R"("duplicate":false})";
  auto no_level = R"({"node":1,"incarnation":1,"sequence":1,"time":1,"level":99,"nodes":1,)"
                  R"("duplicate":false})";
  for (auto bad : {"7", "null", "{}", "[]", R"({"code":"x"})", R"({"node":"x"})", no_level})
    CAF_CHECK(!decode_outcomes('[' + std::string{good} + ',' + bad + ']', x));
  CAF_CHECK_EQUAL(x.items[0].outcome.nodes, 9u);
  CAF_CHECK(decode_outcomes('[' + std::string{good} + ',' + good + ']', x));
}

CAF_TEST(texts that were cut are refused) {
  record one;
  one.content = full_event();
  auto deliveries = '[' + encode_delivery(one) + ']';
  for (size_t n = 0; n < deliveries.size(); ++n)
    CAF_CHECK(!decode_deliveries(deliveries.substr(0, n)));
  auto publications = encode_publications(two_publications());
  for (size_t n = 0; n < publications.size(); ++n)
    CAF_CHECK(!decode_publications(publications.substr(0, n)));
  auto text = encode_outcomes(outcomes());
  publish_request x;
  x.items.resize(3);
  for (size_t n = 0; n < text.size(); ++n)
    CAF_CHECK(!decode_outcomes(text.substr(0, n), x));
}

CAF_TEST(what is no event is refused) {
  for (auto event :
       {"7", "null", "{}", R"({"topics":[],"data":"","kind":0})",
        R"({"topics":"t","data":"","kind":0})", R"({"topics":["t"],"data":7,"kind":0})",
        R"({"topics":["t"],"kind":0})", R"({"topics":["t"],"data":""})",
        R"({"topics":["t"],"data":"","kind":3})", R"({"topics":["t"],"data":"","kind":-1})",
        R"({"topics":["t"],"data":"","kind":0,"type":7})",
        R"({"topics":["t"],"data":"","kind":0,"mail":7})",
        R"({"topics":["t"],"data":"","kind":0,"mail":{"title":"","message":"","level":4}})"}) {
    auto item = R"({"event":)" + std::string{event};
    CAF_CHECK(!decode_deliveries('[' + item + R"(,"time":1}])"));
    CAF_CHECK(!decode_publications(R"({"atomic":false,"items":[)" + item + "}]}"));
  }
  CAF_CHECK(!decode_publications(R"({"atomic":false,"items":[]})"));
  CAF_CHECK(!decode_publications(
    R"({"atomic":false,"items":[{"event":{"topics":["t"],"data":"","kind":0},"level":5}]})"));
}
