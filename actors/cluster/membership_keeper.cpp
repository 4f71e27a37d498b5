#include "actors/cluster/membership_keeper.hpp"

#include "actors/cluster/membership_codec.hpp"
#include "tidings/units.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace tidings {

namespace {

cluster::change_outcome refusal(errc code, std::string detail) {
  return {failure{code, std::move(detail)}, {}, {}};
}

/// When a node that was to leave doubts it: after twice the time of the change, and when the others
/// must have noticed that a link is dead.
constexpr int64_t leave_patience = 2;
constexpr int64_t leave_grace_ms = 10'000;

} // namespace

membership_keeper::membership_keeper(membership present, std::string self, int64_t timeout_ms,
                                     host& owner)
  : present_(std::move(present)), self_(std::move(self)), timeout_ms_(timeout_ms), owner_(owner) {
  // nop
}

void membership_keeper::change(const cluster::change_request& what, change_reply then) {
  auto maker = what.is_removal && what.member.name == self_ ? std::string{} : self_;
  for (auto& x : owner_.others())
    if (x.linked && !(what.is_removal && x.name == what.member.name)
        && (maker.empty() || (x.name < maker && !what.force)))
      maker = x.name;
  if (maker == self_ || present_.members.size() == 1)
    return make(what, std::move(then));
  if (maker.empty())
    return then(refusal(errc::members_missing, "no member that stays is linked with this one"));
  owner_.ask(maker, request_kind::change, encode_change(what),
             [this, what, then = std::move(then), maker](const std::optional<std::string>& body) {
               // Who leaves is told so, and then loses the link that the answer would have come by.
               if (!body && what.is_removal && what.member.name == self_ && !present_.find(self_))
                 return then({std::nullopt, present_, {}});
               auto outcome = body ? decode_change_outcome(*body) : std::nullopt;
               then(outcome ? *outcome
                            : refusal(errc::indeterminate,
                                      "member " + maker
                                        + ", which makes changes, has not answered: see whether "
                                          "the list has changed"));
             });
}

void membership_keeper::make(const cluster::change_request& what, change_reply then) {
  if (change_)
    return then(refusal(errc::change_under_way, "another change of the list is under way"));
  auto begun = cluster::membership_change::begin(present_, what, owner_.others(), owner_.heads(),
                                                 owner_.now_ms() + timeout_ms_);
  if (!begun)
    return then(refusal(begun.error().code, begun.error().detail));
  spdlog::info("the list of members is to change {}=\"{}\" force={}",
               what.is_removal ? "remove" : "add", what.member.name, what.force);
  change_ = change_under_way{std::move(*begun), std::move(then), ++changes_};
  tick();
}

void membership_keeper::tick() {
  go_on();
  check_drains();
  check_leaving();
}

void membership_keeper::go_on() {
  while (change_) {
    auto others = owner_.others();
    auto& what = change_->what;
    switch (what.next(others, owner_.heads(), owner_.now_ms())) {
      case cluster::membership_change::step::wait:
        return;
      case cluster::membership_change::step::drain:
        change_->drains = true;
        owner_.ask(what.member(), request_kind::drain, std::to_string(timeout_ms_),
                   [this, n = change_->number](const std::optional<std::string>& body) {
                     auto heads = body ? decode_heads(*body) : std::nullopt;
                     if (heads && change_ && change_->number == n)
                       change_->what.drained(*heads);
                   });
        break;
      case cluster::membership_change::step::commit: {
        if (auto why = owner_.keep(what.list()))
          return finish({*why, {}, {}});
        // Also the one that leaves, before its link is closed.
        present_ = what.list();
        for (auto& x : others)
          if (x.linked)
            tell(x.name);
        owner_.adopt(present_);
        break;
      }
      case cluster::membership_change::step::finished:
        finish(what.outcome());
    }
  }
}

void membership_keeper::tell(const std::string& member) {
  owner_.ask(member, request_kind::members, to_text(present_),
             [this, member, n = changes_](const std::optional<std::string>& body) {
               if (body && body->empty() && change_ && change_->number == n)
                 change_->what.told(member);
             });
}

void membership_keeper::finish(cluster::change_outcome outcome) {
  if (outcome.refused && change_->drains)
    owner_.ask(change_->what.member(), request_kind::drain, "0", [](const auto&) {});
  if (outcome.refused)
    spdlog::warn("the list of members stays as it is reason=\"{}\"", outcome.refused->detail);
  auto then = std::move(change_->then);
  change_.reset();
  then(outcome);
}

std::string membership_keeper::take_list(std::string_view body) {
  auto list = parse_membership(body);
  if (!list)
    return "not a list of members";
  if (!supersedes(*list, present_))
    return {};
  if (auto why = owner_.keep(*list)) {
    spdlog::error("cannot keep the new list of members err=\"{}\"", why->detail);
    return why->detail;
  }
  if (change_)
    finish(refusal(errc::change_under_way, "the list was changed elsewhere at the same time"));
  present_ = std::move(*list);
  if (!present_.find(self_)) { // who is out rests anyway; it may be added again
    is_asked_to_drain_ = false;
    leaves_until_ms_.reset();
  }
  owner_.adopt(present_);
  return {};
}

void membership_keeper::take_change(std::string_view body, std::function<void(std::string)> then) {
  auto what = decode_change(body);
  if (!what)
    return;
  make(*what, [then = std::move(then)](const cluster::change_outcome& x) {
    then(encode_change_outcome(x));
  });
}

void membership_keeper::drain(drain_reply then) {
  is_asked_to_drain_ = true;
  owner_.set_draining(true);
  owner_.come_to_rest([this, then = std::move(then)]() mutable {
    drains_.push_back({owner_.heads(), owner_.now_ms() + timeout_ms_, std::move(then)});
    check_drains();
  });
}

void membership_keeper::undrain() {
  is_asked_to_drain_ = false;
  leaves_until_ms_.reset();
  owner_.set_draining(false);
}

void membership_keeper::take_drain(std::string_view body, std::function<void(std::string)> then) {
  constexpr uint64_t day_ms = 86'400'000;
  auto time = static_cast<int64_t>(std::min(parse_unsigned(body).value_or(0), day_ms));
  if (time <= 0) {
    leaves_until_ms_.reset();
    owner_.set_draining(draining());
    return then({});
  }
  leaves_until_ms_ = owner_.now_ms() + leave_patience * time + leave_grace_ms;
  owner_.set_draining(true);
  owner_.come_to_rest([this, then = std::move(then)] { then(encode_heads(owner_.heads())); });
}

void membership_keeper::check_leaving() {
  if (!leaves_until_ms_ || owner_.now_ms() < *leaves_until_ms_)
    return;
  // Members let in nobody who is not in their list: linked with all of them, this node still is.
  auto others = owner_.others();
  if (!std::all_of(others.begin(), others.end(), [](auto& x) { return x.linked; }))
    return;
  leaves_until_ms_.reset();
  owner_.set_draining(draining());
  spdlog::warn("this node takes new work again: it was to be removed and was not");
}

void membership_keeper::check_drains() {
  for (size_t i = 0; i < drains_.size();) {
    auto& x = drains_[i];
    auto is_late = owner_.now_ms() >= x.deadline_ms;
    std::vector<std::string> behind;
    auto is_waited_for = false;
    for (auto& other : owner_.others())
      if (cluster::records_lacking(x.heads, other.heads) != 0) {
        behind.push_back(other.name);
        is_waited_for = is_waited_for || other.linked;
      }
    if (is_waited_for && !is_late) {
      ++i;
      continue;
    }
    auto then = std::move(x.then);
    drains_.erase(drains_.begin() + static_cast<ptrdiff_t>(i));
    then(behind);
  }
}

} // namespace tidings
