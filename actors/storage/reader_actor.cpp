#include "actors/storage/reader_actor.hpp"

#include "actors/caf_failure.hpp"
#include "actors/mailbox/mailbox_reader.hpp"
#include "actors/storage/log_reader.hpp"

#include <caf/all.hpp>

namespace tidings {

namespace {

struct reader_state {
  static inline const char* name = "tidings.reader";
};

template <class T>
caf::result<T> answer(result<T> x) {
  if (!x)
    return to_caf(x.error());
  return std::move(*x);
}

reader_actor::behavior_type reader(reader_actor::stateful_pointer<reader_state>,
                                   std::shared_ptr<const event_store> store, read_clock now_ms) {
  return {
    [=](const replay_request& x) -> caf::result<replay_chunk_ptr> {
      auto chunk = log_reader{*store}.replay(x, now_ms());
      if (!chunk)
        return to_caf(chunk.error());
      return std::make_shared<replay_chunk>(std::move(*chunk));
    },
    [=](const mailbox_query& x) { return answer(mailbox_reader{*store}.read_page(x, now_ms())); },
    [=](const mailbox_lookup& x) -> caf::result<mailbox_listing_ptr> {
      auto listing = mailbox_reader{*store}.look_up(x, now_ms());
      if (!listing)
        return to_caf(listing.error());
      return std::make_shared<mailbox_listing>(std::move(*listing));
    },
    [=](const page_request& x) { return answer(log_reader{*store}.read_page(x, now_ms())); },
    [=](const topics_request& x) {
      return answer(store->topics(x.after, x.prefix, x.limit, now_ms()));
    },
  };
}

} // namespace

reader_actor spawn_reader(caf::actor_system& sys, std::shared_ptr<const event_store> store,
                          read_clock now_ms) {
  return sys.spawn<caf::detached>(reader, std::move(store), std::move(now_ms));
}

} // namespace tidings
