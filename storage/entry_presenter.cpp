#include "storage/entry_presenter.hpp"

#include <string>
#include <utility>

namespace tidings::storage {

cursor to_cursor(const decoded_entry& x, const origin_heads& heads) {
  cursor at;
  for (auto& other : x.other_span())
    at.set(heads.node_of(other.slot), other.at);
  at.set(heads.node_of(x.slot), x.origin);
  return at;
}

event to_event(const decoded_entry& x) {
  event out;
  for (auto topic : x.topic_span())
    out.topics.emplace_back(topic);
  out.type = x.type;
  out.data = x.data;
  out.id = x.id;
  out.kind = x.kind;
  out.expires_at_ms = x.expires_at_ms;
  if (x.has_mail)
    out.mail = std::make_shared<const mail>(
      mail{std::string{x.mail.title}, std::string{x.mail.message}, x.mail.level});
  return out;
}

record_view to_view(lsn position, const decoded_entry& x, const cursor& at,
                    uint64_t node) noexcept {
  return {position,  &at,
          node,      x.origin,
          x.time_ms, x.expires_at_ms,
          x.kind,    x.topic_span(),
          x.type,    x.id,
          x.data,    x.has_mail ? &x.mail : nullptr};
}

failure unreadable_entry(lsn position) {
  return {errc::storage_corrupt,
          "the log entry at position " + std::to_string(to_integer(position)) + " cannot be read"};
}

entry_presenter::outcome entry_presenter::show(lsn position, std::string_view value) {
  auto& x = entry_;
  if (!decode_entry(value, x))
    return fail(unreadable_entry(position));
  if (is_taken_away(x))
    return outcome::go_on;
  auto node = heads_.node_of(x.slot);
  if (seen_ && seen_->covers(node, x.origin))
    return outcome::go_on;
  auto held = false;     // a topic that the reader asked for still holds it
  auto released = false; // a topic that the reader asked for held it once
  for (size_t i = 0; i < x.topic_count && !held; ++i)
    if (who_.matches(x.topics[i]))
      ((x.released >> i) & 1 ? released : held) = true;
  // Of unknown topics: what this node lost, and what was forgotten on the way between nodes.
  auto is_lost = x.form == entry_form::lost || (x.form != entry_form::record && x.topic_count == 0);
  if (!held && !released && !is_lost)
    return outcome::go_on;
  if (x.form == entry_form::record && held && (x.expires_at_ms == 0 || x.expires_at_ms > now_ms_)) {
    if (!who_.admits_type(x.type))
      return outcome::go_on;
    if (x.has_mail) {
      auto hide = hidden_.hide(position, x);
      if (!hide)
        return fail(hide.error());
      if (*hide)
        return outcome::go_on;
    }
    at_ = to_cursor(x, heads_);
    return to_.on_record(to_view(position, x, at_, node)) ? outcome::go_on : outcome::stop;
  }
  if (position > forgotten_) {
    auto is_evicted = x.form == entry_form::evicted || !(held || is_lost); // there, or here
    auto reason = x.form == entry_form::lost ? gap_reason::lost
                  : is_evicted               ? gap_reason::evicted
                                             : gap_reason::expired;
    at_ = to_cursor(x, heads_);
    to_.on_missing({position, &at_, reason, x.topic_span()});
  }
  return outcome::go_on;
}

entry_presenter::outcome entry_presenter::fail(failure why) {
  why_ = std::move(why);
  return outcome::failed;
}

} // namespace tidings::storage
