// The values of the log as they come from a disk: strict, and the same when written again.

#include "fuzz/fuzz.hpp"
#include "storage/entry_presenter.hpp"
#include "storage/keys.hpp"
#include "storage/record_codec.hpp"

void tidings::fuzz::run(std::string_view input) {
  using namespace storage;
  record_head head;
  auto has_head = decode_head(input, head);
  decoded_entry entry;
  (void)parse_log_key(input);
  (void)parse_topic_key(input);
  (void)parse_topic_entry(input);
  (void)parse_topic_floor(input);
  (void)parse_origin(input.substr(0, input.size() / 2), input.substr(input.size() / 2));
  (void)parse_idempotency(input);
  (void)decode_body(input, entry);
  if (!decode_entry(input, entry))
    return;
  require(has_head, "an entry has a head");
  require(entry.form == head.form && entry.expires_at_ms == head.expires_at_ms
            && entry.chain == head.chain && entry.released == head.released,
          "two heads");
  auto lowest = 0;
  for (auto& other : entry.other_span()) {
    require(other.slot >= lowest && other.slot != entry.slot, "each other node once, in order");
    lowest = other.slot + 1;
  }
  auto is_old = !entry.is_chained;
  auto chain = chain_of(entry, input, 7, 7);
  std::string again;
  if (entry.form != entry_form::record) {
    encode_stub(again, entry.form, entry.expires_at_ms, entry);
  } else {
    record x;
    x.node = 7;
    x.origin = entry.origin;
    x.time_ms = entry.time_ms;
    x.content = to_event(entry);
    encode_place(again, {entry.slot, entry.arrived_ms, entry.other_span()});
    set_released(again, entry.released);
    append_body(again, x, {entry.follows, entry.key, entry.fingerprint}, 7);
    require(is_old || x.chain == chain, "the chain is that of the bytes");
  }
  decoded_entry second;
  require(decode_entry(again, second), "what we write we can read");
  require(second.form == entry.form && second.origin == entry.origin
            && second.follows == entry.follows && second.slot == entry.slot
            && second.arrived_ms == entry.arrived_ms && second.other_count == entry.other_count
            && second.topic_count == entry.topic_count && second.type == entry.type
            && second.id == entry.id && second.data == entry.data && second.key == entry.key
            && second.has_mail == entry.has_mail,
          "written again it is the same");
  require(is_old || again.size() == input.size(), "there is one spelling");
  if (is_old)
    return;
  decoded_entry body;
  require(decode_body(entry.body, body) && body.origin == entry.origin, "a body stands alone");
}
