#include "http/handlers/revoke.hpp"

#include "http/handlers/awaiting_publish.hpp"
#include "http/problem.hpp"
#include "http/refusal.hpp"
#include "http/revocation_request.hpp"
#include "tidings/text.hpp"

#include <spdlog/spdlog.h>

namespace tidings::http {

namespace {

/// Revokes at once, and answers when the store will remember it.
class revoking : public awaiting_publish {
public:
  void begin(session& s, request& x) override {
    auto now_ms = s.local_shard().clock().wall_ms();
    // Compared with the time that the issuer's clock shows: ours may not have followed a step back.
    auto asked = parse_revocation_request(x.body, system_clock_source().wall_ms());
    if (!asked)
      return s.respond(problem(asked.error()));
    auto entry = s.broker().revoked->revoke(*std::move(asked), now_ms, s.broker().past_ms());
    if (!entry)
      return s.respond(problem(entry.error()));
    made_ = *std::move(entry);
    spdlog::info("revoked user=\"{}\" jti=\"{}\" by=\"{}\"", for_log(made_.user),
                 for_log(made_.token_id), x.who ? for_log(x.who->user) : "");
    s.local_shard().others().dismiss(std::make_shared<const std::function<bool(const caller&)>>(
      [all = s.broker().revoked](const caller& who) { return !all->is_revoked(who); }));
    std::vector<publication> xs;
    xs.push_back(to_publication(made_, now_ms));
    send(s, std::move(xs), false);
  }

private:
  response outcome(session&, const publish_request& x) override {
    if (auto& why = x.items.front().outcome.refused)
      return refused(*why);
    std::string out;
    append_revocation(out, made_);
    return json_response(out + '\n', 201);
  }

  response refused(const failure& why) override {
    return problem(
      {why.code, "revoked until the broker stops, but not kept beyond: repeat it. " + why.detail});
  }

  response late() override {
    return refused({errc::indeterminate, "it is not stored yet"});
  }

  static publication to_publication(const revocation& x, int64_t now_ms) {
    publication y;
    y.content.topics = {std::string{revocation_topic}};
    y.content.type = "tidings.revocation";
    y.content.kind = data_kind::json;
    y.content.data = to_json_line(x);
    y.ttl = milliseconds{std::max<int64_t>(x.dies_at_ms - now_ms, 1)};
    y.level = durability::fsync;
    return y;
  }

  revocation made_;
};

} // namespace

std::shared_ptr<exchange> make_revoke() {
  return std::make_shared<revoking>();
}

std::shared_ptr<exchange> make_list_revocations() {
  return make_answer([](session& s, const request&) {
    std::string out = "{\"revocations\":[";
    for (auto& x : s.broker().revoked->list(s.local_shard().clock().wall_ms())) {
      if (out.back() != '[')
        out += ',';
      append_revocation(out, x);
    }
    return json_response(out + "]}\n");
  });
}

} // namespace tidings::http
