#include "actors/mailbox/mailbox_reader.hpp"

#include "actors/mailbox/mailbox_decision.hpp"
#include "tidings/batch.hpp"
#include "tidings/cursor.hpp"
#include "tidings/sse.hpp"
#include "tidings/text.hpp"

#include <algorithm>
#include <unordered_map>

namespace tidings {

namespace {

/// Writes items with the states that their entries have.
class item_writer : public record_visitor {
public:
  item_writer(std::string& out, const mailbox_query& what, bool is_member,
              const std::unordered_map<uint64_t, item_state>& states)
    : out_(out),
      bytes_max_(what.bytes_max),
      form_(what.form),
      user_(what.user),
      is_member_(is_member),
      states_(states) {
    // nop
  }

  bool on_record(const record_view& x) override {
    auto state = states_.find(to_integer(x.position));
    if (!x.mail || state == states_.end())
      return true;
    is_full_ = out_.size() >= bytes_max_;
    if (is_full_)
      return false;
    last_ = x.position;
    id_.clear();
    event_id{x.node, x.origin}.append_to(id_, is_member_);
    topics_.assign(x.topics.begin(), x.topics.end());
    envelope item{id_,    id_,    topics_,   x.type,          x.id,
                  x.data, x.kind, x.time_ms, x.expires_at_ms, x.mail};
    if (form_ == page_form::frames) {
      std::string json;
      append_notification_json(json, item, user_);
      sse::append_event(out_, {}, x.type, json); // no id: it is not where the stream is
      return true;
    }
    if (out_.back() != '[')
      out_ += ',';
    if (form_ == page_form::notifications)
      append_notification_json(out_, item, user_);
    else
      append_item_json(out_, item, state->second);
    return true;
  }

  void on_missing(const missing_record&) override {
    // gone between the list and the look
  }

  /// Whether there was no room for the item after the last.
  bool is_full() const noexcept {
    return is_full_;
  }

  /// The last item that was written.
  lsn last() const noexcept {
    return last_;
  }

private:
  std::string& out_;
  size_t bytes_max_;
  lsn last_{};
  bool is_full_ = false;
  page_form form_;
  const std::string& user_;
  bool is_member_;
  const std::unordered_map<uint64_t, item_state>& states_;
  std::string id_;
  std::vector<std::string_view> topics_;
};

} // namespace

void append_ids(std::string& out, const std::vector<std::string>& ids) {
  out += '[';
  for (auto& id : ids) {
    if (&id != &ids.front())
      out += ',';
    append_json_string(out, id);
  }
  out += ']';
}

void append_counts(std::string& out, const mailbox_counts& x) {
  auto separator = '{';
  for (auto state :
       {item_state::unread, item_state::seen, item_state::read, item_state::archived}) {
    out += separator;
    out += '"';
    out += to_string(state);
    out += "\":";
    out += std::to_string(x.of(state));
    separator = ',';
  }
  out += ",\"total\":";
  out += std::to_string(x.total());
  out += '}';
}

std::optional<lsn> mailbox_reader::position_of(const std::string& id) const {
  auto parsed = event_id::parse(id);
  return parsed ? store_.find(*parsed) : std::nullopt;
}

result<mailbox_page> mailbox_reader::read_page(const mailbox_query& x, int64_t now_ms) const {
  mailbox_page page;
  page.covered = store_.last();
  auto entries = store_.mailbox(x.user, x.entries_max, now_ms);
  if (!entries)
    return entries.error();
  if (x.form == page_form::frames) // the stream goes on behind `covered`
    std::erase_if(*entries, [&](auto& entry) { return entry.item > page.covered; });
  auto counts = count_items(*entries);
  std::erase_if(*entries, [&](auto& entry) { return !x.filter.admits(entry); });
  if (x.order == item_order::newest)
    std::reverse(entries->begin(), entries->end());
  else if (x.order == item_order::urgent)
    std::stable_sort(entries->begin(), entries->end(),
                     [](auto& a, auto& b) { return a.level > b.level; });
  if (!x.after.empty()) {
    auto after = position_of(x.after);
    if (!after)
      return failure{errc::invalid_parameter, "the cursor is not the id of an item"};
    std::erase_if(*entries, [&](auto& entry) {
      return x.order == item_order::newest ? entry.item >= *after : entry.item <= *after;
    });
  }
  auto more = entries->size() > x.limit;
  if (more)
    entries->resize(x.limit);
  std::vector<lsn> positions;
  std::unordered_map<uint64_t, item_state> states;
  for (auto& entry : *entries) {
    positions.push_back(entry.item);
    states.emplace(to_integer(entry.item), entry.state);
  }
  page.text = x.form == page_form::items           ? "{\"items\":["
              : x.form == page_form::notifications ? "["
                                                   : "";
  item_writer writer{page.text, x, store_.is_member(), states};
  if (auto why = store_.read_records(positions, now_ms, writer))
    return *why;
  if (writer.is_full()) {
    more = true;
    positions.erase(std::find(positions.begin(), positions.end(), writer.last()) + 1,
                    positions.end());
  }
  if (x.form == page_form::notifications)
    page.text += ']';
  if (x.form != page_form::items)
    return page;
  page.text += "],\"counts\":";
  append_counts(page.text, counts);
  page.text += ",\"next\":";
  if (more && !positions.empty() && x.order != item_order::urgent) {
    page.text += '"';
    if (auto last = store_.id_at(positions.back()))
      last->append_to(page.text, store_.is_member());
    page.text += '"';
  } else {
    page.text += "null";
  }
  page.text += '}';
  return page;
}

result<mailbox_listing> mailbox_reader::look_up(const mailbox_lookup& x, int64_t now_ms) const {
  auto entries = store_.mailbox(x.user, x.entries_max, now_ms);
  if (!entries)
    return entries.error();
  mailbox_listing listing;
  listing.entries = std::move(*entries);
  for (auto& id : x.ids)
    if (auto position = position_of(id))
      listing.named.push_back(*position);
  std::sort(listing.named.begin(), listing.named.end());
  return listing;
}

} // namespace tidings
