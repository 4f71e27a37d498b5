#define CAF_SUITE mailbox_parameters

#include "http/mailbox_parameters.hpp"

#include "support/make_request.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;
using namespace tidings::http;
using tidings::test::make_request;

namespace {

const mailbox_config settings;
const limits_config limits;

result<mailbox_query> query(const std::string& text) {
  auto x = make_request("/users/ada/mailbox" + text);
  return parse_mailbox_query(**x, settings);
}

result<mailbox_order> order(const std::string& body, mailbox_action what = mailbox_action::read) {
  auto x = make_request("/users/ada/mailbox/read", {}, body);
  return parse_mailbox_order(what, **x, limits);
}

CAF_TEST(a query without parameters asks for the newest of all) {
  auto x = query("");
  CAF_REQUIRE(x);
  CAF_CHECK(x->order == item_order::newest);
  CAF_CHECK_EQUAL(x->limit, 50u);
  CAF_CHECK_EQUAL(x->entries_max, settings.items_max);
  for (auto state : {item_state::unread, item_state::seen, item_state::read, item_state::archived})
    CAF_CHECK(x->filter.states[static_cast<size_t>(state)]);
}

CAF_TEST(a query filters by states and type) {
  auto x = query("?state=unread,read&type=build&order=oldest&limit=7&cursor=abc");
  CAF_REQUIRE(x);
  CAF_CHECK(x->filter.states == (std::array<bool, 5>{true, false, true, false, false}));
  CAF_CHECK_EQUAL(x->filter.type, "build");
  CAF_CHECK(x->order == item_order::oldest);
  CAF_CHECK_EQUAL(x->limit, 7u);
  CAF_CHECK_EQUAL(x->after, "abc");
  auto counts = query("?limit=0");
  CAF_CHECK_EQUAL(counts->limit, 0u);
}

CAF_TEST(a query that makes no sense is refused) {
  for (auto text :
       {"?state=", "?state=dismissed", "?state=unread,", "?order=best", "?limit=201", "?limit=-1",
        "?limit=x", "?order=urgent&cursor=a", "?nothing=1", "?limit=1&limit=2"}) {
    auto x = query(text);
    CAF_CHECK(!x && x.error().code == errc::invalid_parameter);
  }
}

CAF_TEST(an action raises to its state) {
  CAF_CHECK(order("", mailbox_action::seen)->to == item_state::seen);
  CAF_CHECK(order("", mailbox_action::read)->to == item_state::read);
  CAF_CHECK(order("", mailbox_action::archive)->to == item_state::archived);
  CAF_CHECK(order("", mailbox_action::clear)->to == item_state::dismissed);
  CAF_CHECK(order("{\"ids\":[]}", mailbox_action::dismiss)->to == item_state::dismissed);
  CAF_CHECK(!parse_mailbox_action("delete"));
  CAF_CHECK(parse_mailbox_action("archive") == mailbox_action::archive);
}

CAF_TEST(an order names ids or filters) {
  auto x = order("{\"ids\":[\"c1.a\",7]}");
  CAF_REQUIRE(x && x->ids);
  CAF_CHECK_EQUAL(*x->ids, (std::vector<std::string>{"c1.a", "7"}));
  x = order("{\"state\":[\"unread\"],\"type\":\"build\"}");
  CAF_REQUIRE(x);
  CAF_CHECK(!x->ids);
  CAF_CHECK_EQUAL(x->filter.type, "build");
  CAF_CHECK(!x->filter.states[static_cast<size_t>(item_state::read)]);
  CAF_CHECK(order("{\"state\":\"seen\"}")->filter.states[1]);
}

CAF_TEST(an order that makes no sense is refused) {
  for (auto text :
       {"[]", "{", "{\"ids\":5}", "{\"ids\":[null]}", "{\"state\":\"gone\"}", "{\"type\":1}",
        "{\"ids\":null}", "{\"else\":1}", "{\"ids\":[],\"type\":\"x\"}"})
    CAF_CHECK(!order(text));
  CAF_CHECK(!order("", mailbox_action::dismiss));
  CAF_CHECK(!order("{}", mailbox_action::dismiss));
}

} // namespace
