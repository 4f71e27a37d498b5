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
