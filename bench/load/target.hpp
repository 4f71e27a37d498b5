#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

/// Who is measured: only the paths differ.
enum class target_kind : uint8_t { tidings, floor, nchan };

class options;

struct target {
  target_kind kind = target_kind::tidings;
  std::string name;
  uint16_t port = 0;

  /// From `--target` and `--port`.
  static target from(options& opts);

  /// A whole GET request. `since` may be empty.
  std::string subscribe_request(std::string_view topic, std::string_view since) const;

  /// A whole GET request of a stream that comes back; `last_id` empty: of a new one.
  std::string resume_request(std::string_view topic, std::string_view last_id) const;

  /// A whole GET request of the stream of a user's mailbox.
  std::string mailbox_request(std::string_view user) const;

  /// The head of a POST request to one topic.
  std::string publish_head(std::string_view topic, std::string_view ack, size_t body_bytes) const;
};

/// Names of topics: one is `NAME`, several are `NAME:000000` and on, all of one length.
std::string topic_name(std::string_view base, uint64_t topics, uint64_t index);

} // namespace bench
