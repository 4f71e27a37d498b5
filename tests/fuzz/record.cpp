// The values of the log as they come from a disk: strict, and the same when written again.

#include "fuzz/fuzz.hpp"
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
  if (!decode_entry(input, entry))
    return;
  require(has_head, "an entry has a head");
  require(entry.form == head.form && entry.expires_at_ms == head.expires_at_ms
            && entry.chain == head.chain && entry.released == head.released,
          "two heads");
  (void)chain_of(input, 7);
  std::string again;
  if (entry.form != entry_form::record) {
    encode_stub(again, entry.form, entry.expires_at_ms, entry);
  } else {
    record x;
    x.origin = entry.origin;
    x.time_ms = entry.time_ms;
    x.content.kind = entry.kind;
    x.content.expires_at_ms = entry.expires_at_ms;
    for (auto topic : entry.topic_span())
      x.content.topics.emplace_back(topic);
    x.content.type = entry.type;
    x.content.id = entry.id;
    x.content.data = entry.data;
    if (entry.has_mail)
      x.content.mail = std::make_shared<const mail>(
        mail{std::string{entry.mail.title}, std::string{entry.mail.message}, entry.mail.level});
    encode_record(again, x, 7);
  }
  decoded_entry second;
  require(decode_entry(again, second), "what we write we can read");
  require(second.form == entry.form && second.origin == entry.origin
            && second.topic_count == entry.topic_count && second.type == entry.type
            && second.id == entry.id && second.data == entry.data
            && second.has_mail == entry.has_mail,
          "written again it is the same");
}
