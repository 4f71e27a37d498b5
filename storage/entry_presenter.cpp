#include "storage/entry_presenter.hpp"

#include <string>
#include <utility>

namespace tidings::storage {

record_view to_view(lsn position, const decoded_entry& x) noexcept {
  return {position,       x.origin, x.time_ms, x.expires_at_ms, x.kind,
          x.topic_span(), x.type,   x.id,      x.data,          x.has_mail ? &x.mail : nullptr};
}

failure unreadable_entry(lsn position) {
  return {errc::storage_corrupt,
          "the log entry at position " + std::to_string(to_integer(position)) + " cannot be read"};
}

entry_presenter::outcome entry_presenter::show(lsn position, std::string_view value) {
  auto& x = entry_;
  if (!decode_entry(value, x))
    return fail(unreadable_entry(position));
  auto held = false;     // a topic that the reader asked for still holds it
  auto released = false; // a topic that the reader asked for held it once
  for (size_t i = 0; i < x.topic_count && !held; ++i)
    if (who_.matches(x.topics[i]))
      ((x.released >> i) & 1 ? released : held) = true;
  auto is_lost = x.form == entry_form::lost; // of unknown topics
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
    return to_.on_record(to_view(position, x)) ? outcome::go_on : outcome::stop;
  }
  if (position > forgotten_) {
    auto reason = is_lost ? gap_reason::lost : (held ? gap_reason::expired : gap_reason::evicted);
    to_.on_missing({position, x.origin, reason, x.topic_span()});
  }
  return outcome::go_on;
}

entry_presenter::outcome entry_presenter::fail(failure why) {
  why_ = std::move(why);
  return outcome::failed;
}

} // namespace tidings::storage
