#include "storage/mailbox_batch.hpp"

#include "storage/keys.hpp"

#include <algorithm>

namespace tidings::storage {

namespace {

template <class Topics>
bool names_everyone(const Topics& topics) {
  return std::find(topics.begin(), topics.end(), everyone_topic) != topics.end();
}

} // namespace

void mailbox_batch::put_item(rocksdb::WriteBatch& to, const record& x) {
  auto& content = x.content;
  if (!content.mail)
    return;
  mailbox_entry entry;
  entry.level = content.mail->level;
  entry.shared = names_everyone(content.topics);
  entry.created_ms = x.time_ms;
  entry.expires_at_ms = content.expires_at_ms;
  entry.type = content.type;
  encode_mailbox_entry(value_, entry);
  if (entry.shared) {
    encode_mailbox_key(key_, all_users, x.position);
    to.Put(db_.at(family::mailbox), key_, value_);
    return;
  }
  for (auto& topic : content.topics)
    if (auto user = user_of_topic(topic)) {
      encode_mailbox_key(key_, *user, x.position);
      to.Put(db_.at(family::mailbox), key_, value_);
    }
}

void mailbox_batch::put_changes(rocksdb::WriteBatch& to, std::span<const mailbox_change> xs) {
  for (auto& x : xs) {
    encode_mailbox_key(key_, x.user, x.entry.item);
    if (x.entry.state == item_state::dismissed && !x.entry.shared) {
      to.Delete(db_.at(family::mailbox), key_);
    } else {
      encode_mailbox_entry(value_, x.entry);
      to.Put(db_.at(family::mailbox), key_, value_);
    }
  }
}

std::optional<std::string_view> user_released(const decoded_entry& of, std::string_view topic) {
  if (!of.has_mail)
    return std::nullopt;
  if (topic == everyone_topic)
    return all_users;
  return names_everyone(of.topic_span()) ? std::nullopt : user_of_topic(topic);
}

} // namespace tidings::storage
