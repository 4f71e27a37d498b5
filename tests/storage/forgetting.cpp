#define CAF_SUITE forgetting

#include "storage/forgetting.hpp"

#include "storage/due_collector.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;
using namespace tidings::storage;

namespace {

forgetting log(int64_t now_ms, uint64_t floor, int64_t expires_at_ms,
               entry_form form = entry_form::record) {
  record_head x;
  x.form = form;
  x.expires_at_ms = expires_at_ms;
  return judge_log({now_ms, 100, lsn{floor}}, lsn{10}, x);
}

} // namespace

CAF_TEST(a record becomes a stub and goes only below the floor) {
  CAF_CHECK(log(1'000'000, 99, 0) == forgetting::keep);
  CAF_CHECK(log(499, 99, 500) == forgetting::keep);
  CAF_CHECK(log(500, 99, 500) == forgetting::stub);
  CAF_CHECK(log(599, 99, 500) == forgetting::stub);
  CAF_CHECK(log(600, 9, 500) == forgetting::stub_due);
  CAF_CHECK(log(600, 10, 500) == forgetting::remove);
}

CAF_TEST(a stub is kept until it is old and below the floor) {
  for (auto form : {entry_form::expired, entry_form::evicted, entry_form::lost}) {
    CAF_CHECK(log(599, 99, 500, form) == forgetting::keep);
    CAF_CHECK(log(600, 9, 500, form) == forgetting::keep_due);
    CAF_CHECK(log(600, 10, 500, form) == forgetting::remove);
  }
}

CAF_TEST(times at the edge do not overflow) {
  CAF_CHECK(log(INT64_MAX - 1, 99, INT64_MAX - 50) == forgetting::stub);
  CAF_CHECK_EQUAL(topic_due_ms({INT64_MAX - 1, 0, false}, 1000), never_due);
}

CAF_TEST(index entries follow the log) {
  forgetting_rules rules{600, 100, lsn{10}};
  CAF_CHECK(judge_topic(rules, lsn{10}, {500, 0, false}) == forgetting::remove);
  CAF_CHECK(judge_topic(rules, lsn{11}, {500, 0, false}) == forgetting::keep);
  CAF_CHECK(judge_topic(rules, lsn{10}, {501, 0, false}) == forgetting::keep);
  CAF_CHECK(judge_topic(rules, lsn{10}, {0, 0, false}) == forgetting::keep);
  CAF_CHECK(judge_topic_floor(rules, lsn{10}) == forgetting::remove);
  CAF_CHECK(judge_topic_floor(rules, lsn{11}) == forgetting::keep);
  CAF_CHECK(judge_key(rules, {600}) == forgetting::remove);
  CAF_CHECK(judge_key(rules, {601}) == forgetting::keep);
}

CAF_TEST(entries of mailboxes go when they expire or have been read for long) {
  forgetting_rules rules{600, 100, lsn{}, 50};
  mailbox_entry x;
  auto judge = [&](int64_t now_ms) {
    rules.now_ms = now_ms;
    CAF_CHECK_EQUAL(is_listed(x, now_ms, 50), judge_mailbox(rules, x) == forgetting::keep);
    return judge_mailbox(rules, x);
  };
  CAF_CHECK(judge(1'000'000) == forgetting::keep);
  x.expires_at_ms = 600;
  CAF_CHECK(judge(599) == forgetting::keep);
  CAF_CHECK(judge(600) == forgetting::remove);
  x.state = item_state::read;
  x.changed_ms = 500;
  CAF_CHECK(judge(549) == forgetting::keep);
  CAF_CHECK(judge(550) == forgetting::remove);
  CAF_CHECK_EQUAL(mailbox_due_ms(x, 50), 550);
  for (auto state : {item_state::unread, item_state::seen, item_state::archived}) {
    x.state = state;
    CAF_CHECK(judge(599) == forgetting::keep);
    CAF_CHECK_EQUAL(mailbox_due_ms(x, 50), 600);
  }
  x.state = item_state::read;
  CAF_CHECK_EQUAL(mailbox_due_ms(x, 0), 600);
  CAF_CHECK(is_listed(x, 599, 0));
  x.expires_at_ms = 0;
  CAF_CHECK_EQUAL(mailbox_due_ms(x, 0), never_due);
  CAF_CHECK_EQUAL(mailbox_due_ms(x, never_due), never_due);
}

CAF_TEST(what a user did with an item of everyone stays as long as the item) {
  forgetting_rules rules{599, 100, lsn{}, 50};
  mailbox_entry x;
  x.shared = true;
  x.expires_at_ms = 600;
  for (auto state : {item_state::read, item_state::dismissed}) {
    x.state = state;
    CAF_CHECK(!is_listed(x, 599, 50));
    CAF_CHECK(judge_mailbox(rules, x) == forgetting::keep);
    CAF_CHECK_EQUAL(mailbox_due_ms(x, 50), 600);
  }
  rules.now_ms = 600;
  CAF_CHECK(judge_mailbox(rules, x) == forgetting::remove);
}

CAF_TEST(the wanted floor only rises) {
  forget_floor x;
  x.want(lsn{5});
  x.want(lsn{3});
  CAF_CHECK(x.wanted() == lsn{5});
  CAF_CHECK(x.persisted() == lsn{0});
}

CAF_TEST(a sampler finds when an eighth is due in any amount) {
  CAF_CHECK_EQUAL(due_sampler{}.finish().first_ms, never_due);
  for (int64_t count : {8, 500, 513, 100'000}) {
    due_sampler x;
    for (int64_t i = 0; i < count; ++i)
      x.add(1'000'000 * ((i * 7919) % count) / count);
    auto due = x.finish();
    CAF_CHECK_EQUAL(due.first_ms, 0);
    CAF_CHECK(due.eighth_ms > 60'000 && due.eighth_ms < 200'000);
  }
}
