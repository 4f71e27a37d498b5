#include "http/handlers/mailbox.hpp"

#include "actors/mailbox/mailbox_reader.hpp"
#include "http/gate.hpp"
#include "http/handlers/asking.hpp"
#include "http/handlers/publishing.hpp"
#include "http/mailbox_parameters.hpp"
#include "http/problem.hpp"

namespace tidings::http {

namespace {

/// The user of the path, if the caller may open that mailbox.
result<std::string> opened_mailbox(const request& x) {
  auto user = user_of_path(x);
  if (user && !may_open(x.who, *user))
    return lacking(x.who, "this is another user's mailbox");
  return user;
}

class mailbox_reading : public asking {
public:
  void begin(session& s, request& x) override {
    auto user = opened_mailbox(x);
    if (!user)
      return s.respond(problem(user.error()));
    auto query = parse_mailbox_query(x, s.local_shard().settings().mailbox);
    if (!query)
      return s.respond(problem(query.error()));
    query->user = std::move(*user);
    s.local_shard().others().read_mailbox(std::move(*query),
                                          later(s, [](session& to, result<mailbox_page> page) {
                                            if (!page)
                                              return to.respond(problem(page.error()));
                                            to.respond(json_response(std::move(page->text) + '\n'));
                                          }));
  }
};

class mailbox_changing : public asking {
public:
  explicit mailbox_changing(mailbox_action what) : what_(what) {
    // nop
  }

  void begin(session& s, request& x) override {
    auto user = opened_mailbox(x);
    if (!user)
      return s.respond(problem(user.error()));
    if (auto why = check_takes_work(s))
      return s.respond(problem(*why));
    auto order = parse_mailbox_order(what_, x, s.local_shard().settings().limits);
    if (!order)
      return s.respond(problem(order.error()));
    order->user = std::move(*user);
    s.local_shard().others().change_mailbox(
      std::move(*order), later(s, [](session& to, result<mailbox_outcome> outcome) {
        to.respond(outcome ? json_response(render(*outcome)) : problem(outcome.error()));
      }));
  }

private:
  static std::string render(const mailbox_outcome& x) {
    std::string out = "{\"changed\":";
    append_ids(out, x.changed);
    out += ",\"counts\":";
    append_counts(out, x.counts);
    out += "}\n";
    return out;
  }

  mailbox_action what_;
};

} // namespace

std::shared_ptr<exchange> make_read_mailbox() {
  return std::make_shared<mailbox_reading>();
}

std::shared_ptr<exchange> make_change_mailbox(std::string_view action) {
  auto what = parse_mailbox_action(action);
  return what ? std::make_shared<mailbox_changing>(*what) : nullptr;
}

} // namespace tidings::http
