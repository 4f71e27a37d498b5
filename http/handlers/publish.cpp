#include "http/handlers/publish.hpp"

#include "http/cloud_events.hpp"
#include "http/gate.hpp"
#include "http/handlers/outcome.hpp"
#include "http/handlers/publish_exchange.hpp"
#include "http/handlers/publishing.hpp"
#include "http/problem.hpp"
#include "http/publication.hpp"
#include "http/refusal.hpp"

#include <utility>

namespace tidings::http {

namespace {

class publish_to_topic : public publish_exchange {
protected:
  parsed_request parse(session& s, request& x) override {
    return one(parse_raw(x, s.local_shard().settings().limits));
  }
};

/// `POST /users/{user}/mailbox`; `*` is everyone.
class send_item : public publish_exchange {
protected:
  parsed_request parse(session& s, request& x) override {
    if (auto why = x.query.check_names({}))
      return problem(*why);
    auto user = x.raw_path.starts_with("/users/*/") ? result<std::string>{"*"} : user_of_path(x);
    if (!user)
      return problem(user.error());
    auto item = parse_item(*user, x.body, s.local_shard().settings().limits);
    if (item)
      if (auto why = apply_idempotency_key({&*item, 1}, x.field("Idempotency-Key")))
        return problem(*why);
    return one(std::move(item));
  }
};

class publish_events : public publish_exchange {
public:
  explicit publish_events(publish_form form) : form_(form) {
    // nop
  }

protected:
  parsed_request parse(session& s, request& x) override {
    auto& limits = s.local_shard().settings().limits;
    auto key = x.field("Idempotency-Key");
    switch (form_) {
      case publish_form::cloud_event:
        return keyed(parse_cloud_event(x, limits), key);
      case publish_form::cloud_event_binary:
        return keyed(parse_binary_cloud_event(x, limits), key);
      case publish_form::cloud_event_batch:
        return all(parse_cloud_event_batch(x, limits), key);
      default:
        if (auto why = x.query.check_names({}))
          return problem(*why);
        return is_json_array(x.body) ? all(parse_array(x.body, limits), key)
                                     : keyed(parse_object(x.body, limits), key);
    }
  }

  /// Of a CloudEvent the schema is about its data, not about what is around it.
  std::string_view checked_member() const override {
    return form_ == publish_form::json ? "" : "data";
  }

private:
  static parsed_request keyed(result<publication> x, std::string_view key) {
    if (x)
      if (auto why = apply_idempotency_key({&*x, 1}, key))
        return problem(*why);
    return one(std::move(x));
  }

  parsed_request all(parsed_batch x, std::string_view key) {
    array_ = true;
    if (!x.ok())
      return x.to_problem();
    if (auto why = apply_idempotency_key(x.items, key))
      return problem(*why);
    return std::move(x.items);
  }

  publish_form form_;
};

/// Publishes line by line while the request comes in, and answers line by line. One group is on its
/// way at a time, so that order is kept, and the next is read meanwhile.
class publish_lines : public exchange, public publish_listener {
public:
  bool streams() const override {
    return true;
  }

  void begin(session& s, request& x) override {
    session_ = s.weak_from_this();
    who_ = x.who;
    if (auto why = x.query.check_names({}))
      return s.respond(problem(*why));
    if (auto why = check_rate(s, who_))
      return s.respond(problem(*why));
    s.begin_streaming("application/x-ndjson");
  }

  bool on_body(session& s, std::string_view piece, bool last) override {
    input_ += piece;
    complete_ = last;
    take_and_send(s);
    finish(s);
    return wants_more(s);
  }

  void on_published(const publish_ptr& x) override {
    auto s = session_.lock();
    if (!s || x->ticket != ticket_)
      return;
    in_flight_ = false;
    count_outcomes(s->local_shard().stats(), *x);
    std::string out;
    out.reserve(x->items.size() * 160);
    auto item = x->items.begin();
    for (auto& line : sent_)
      if (line.refused)
        append_refusal_line(out, *line.refused, line.index);
      else
        append_outcome_line(out, *item++, s->local_shard().is_member(), line.index);
    sent_.clear();
    s->write_piece(out);
    go_on(*s);
  }

  void on_room(session& s) override {
    if (in_flight_)
      await_outcome(s);
    else
      go_on(s);
  }

  void on_deadline(session& s) override {
    if (!in_flight_)
      return;
    ++ticket_; // a late outcome is nobody's any more
    std::string out;
    for (auto& line : sent_)
      append_refusal_line(
        out, {errc::indeterminate, "the event was accepted but is not stored yet"}, line.index);
    sent_.clear();
    in_flight_ = false;
    s.write_piece(out);
    go_on(s);
  }

private:
  /// What an input line has become: a refusal, or the next publication of its group.
  struct line_result {
    uint64_t index;
    std::optional<failure> refused;
  };

  static constexpr size_t group_bytes_max = 512 * 1024;
  static constexpr size_t group_lines_max = 4096;
  static constexpr size_t unsent_bytes_max = 1024 * 1024;

  bool group_full() const {
    return lines_.size() >= group_lines_max || group_bytes_ >= group_bytes_max;
  }

  bool wants_more(session& s) const {
    return !group_full() && s.unsent() < unsent_bytes_max;
  }

  /// Until a group is on its way or the client has to read first: of lines that are all refused
  /// nobody calls back.
  void take_and_send(session& s) {
    size_t before = 0;
    do {
      before = input_.size();
      take_lines(s);
      send(s);
    } while (!in_flight_ && lines_.empty() && input_.size() < before);
  }

  void take_lines(session& s) {
    auto& limits = s.local_shard().settings().limits;
    // The data may be escaped, and stands beside the other members.
    auto line_max = 2 * limits.event_bytes + 16 * 1024;
    size_t begin = 0;
    while (!group_full()) {
      auto end = input_.find('\n', begin);
      if (end == input_.npos) {
        if (complete_ && begin < input_.size()) {
          end = input_.size();
        } else {
          if (input_.size() - begin > line_max) {
            if (!std::exchange(skipping_, true))
              lines_.push_back(
                {index_++, failure{errc::payload_too_large, "the line is too long"}});
            begin = input_.size();
          }
          break;
        }
      }
      auto line = std::string_view{input_}.substr(begin, end - begin);
      begin = std::min(end + 1, input_.size());
      if (std::exchange(skipping_, false))
        continue; // the rest of one that was too long
      take_line(s, line);
    }
    input_.erase(0, begin);
  }

  void take_line(session& s, std::string_view line) {
    if (line.find_first_not_of(" \t\r") == line.npos)
      return;
    auto parsed = parse_object(line, s.local_shard().settings().limits);
    if (parsed)
      if (auto why = check_publish(who_, parsed->content))
        parsed = std::move(*why);
    if (parsed)
      if (auto why = check_schema(s, parsed->content))
        parsed = std::move(*why);
    if (parsed) {
      lines_.push_back({index_++, std::nullopt});
      group_bytes_ += line.size();
      group_.push_back(std::move(*parsed));
    } else {
      lines_.push_back({index_++, parsed.error()});
    }
  }

  void send(session& s) {
    if (in_flight_ || lines_.empty() || s.unsent() >= unsent_bytes_max)
      return;
    sent_ = std::exchange(lines_, {});
    group_bytes_ = 0;
    auto group = std::exchange(group_, {});
    if (group.empty())
      return answer_refusals(s);
    scope_keys(who_, group);
    auto me = std::static_pointer_cast<publish_lines>(shared_from_this());
    auto why = // an upload may go on for days
      check_still_good(*s.broker().gate.load(), who_, s.local_shard().clock().wall_ms());
    if (!why)
      why = submit(s, std::move(group), false, me, ++ticket_);
    if (why) {
      for (auto& line : sent_)
        if (!line.refused)
          line.refused = why;
      return answer_refusals(s);
    }
    in_flight_ = true;
    await_outcome(s);
  }

  /// While nothing is read the only deadline is that of the store, or that of a client that does
  /// not take its answer.
  void await_outcome(session& s) const {
    if ((complete_ || s.paused()) && s.unsent() == 0)
      s.home().set_deadline(s, s.local_shard().settings().limits.publish_timeout);
  }

  void answer_refusals(session& s) {
    std::string out;
    for (auto& line : sent_)
      append_refusal_line(out, *line.refused, line.index);
    add(s.local_shard().stats().refused, sent_.size());
    sent_.clear();
    s.write_piece(out);
  }

  void go_on(session& s) {
    if (in_flight_)
      return;
    take_and_send(s);
    finish(s);
    if (!finished_ && wants_more(s))
      s.resume_body();
  }

  void finish(session& s) {
    if (finished_ || !complete_ || in_flight_ || !lines_.empty() || !input_.empty())
      return;
    finished_ = true;
    s.end_streaming();
  }

  std::weak_ptr<session> session_;
  caller_ptr who_;
  std::string input_;              // received and not yet split into lines
  std::vector<line_result> lines_; // of the group in the making
  std::vector<publication> group_;
  std::vector<line_result> sent_; // of the group on its way
  size_t group_bytes_ = 0;
  uint64_t index_ = 0;
  uint64_t ticket_ = 0;
  bool in_flight_ = false;
  bool complete_ = false;
  bool skipping_ = false;
  bool finished_ = false;
};

} // namespace

std::shared_ptr<exchange> make_publish_to_topic() {
  return std::make_shared<publish_to_topic>();
}

std::shared_ptr<exchange> make_send_item() {
  return std::make_shared<send_item>();
}

std::shared_ptr<exchange> make_publish_events(const request& x) {
  auto form = publish_form_of(x);
  if (!form)
    return make_refusal(form.error());
  if (*form == publish_form::ndjson)
    return std::make_shared<publish_lines>();
  return std::make_shared<publish_events>(*form);
}

} // namespace tidings::http
