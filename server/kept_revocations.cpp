#include "server/kept_revocations.hpp"

#include "tidings/subscription.hpp"

#include <spdlog/spdlog.h>

namespace tidings {

namespace {

class loading : public record_visitor {
public:
  loading(revocations& to, int64_t past_ms) : to_(to), past_ms_(past_ms) {
    // nop
  }

  bool on_record(const record_view& x) override {
    auto entry = parse_revocation(x.data);
    auto why = entry ? to_.add(*std::move(entry), past_ms_) : status{entry.error()};
    if (why)
      failed =
        failure{why->code, "a revocation at position " + std::to_string(to_integer(x.position))
                             + " of the log cannot be taken over: " + why->detail};
    return !failed;
  }

  void on_missing(const missing_record&) override {
    // nop: it expired, and its tokens with it
  }

  status failed;

private:
  revocations& to_;
  int64_t past_ms_;
};

} // namespace

status load_revocations(const event_store& from, revocations& to, int64_t past_ms) {
  subscription who{{*topic_pattern::parse(revocation_topic)}};
  loading visitor{to, past_ms};
  read_request what;
  what.who = &who;
  what.now_ms = past_ms;
  while (true) {
    auto outcome = from.read(what, visitor);
    if (!outcome)
      return outcome.error();
    if (visitor.failed)
      return visitor.failed;
    if (outcome->end_reached)
      break;
    what.after = outcome->covered;
  }
  if (auto n = to.list(past_ms).size(); n != 0)
    spdlog::info("revocations taken over count={}", n);
  return std::nullopt;
}

bool apply_revocation(const record& x, revocations& to, int64_t past_ms) {
  auto& topics = x.content.topics;
  if (topics.size() != 1 || topics.front() != revocation_topic)
    return false;
  auto entry = parse_revocation(x.content.data);
  auto why = entry ? to.add(*std::move(entry), past_ms) : status{entry.error()};
  if (why)
    spdlog::error("a revocation of another member cannot be taken over err=\"{}\"", why->detail);
  return !why;
}

} // namespace tidings
