#include "actors/storage/reader_actor.hpp"

#include "actors/caf_failure.hpp"
#include "actors/mailbox/mailbox_reader.hpp"
#include "actors/storage/log_reader.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <memory>

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

template <class T>
caf::result<std::shared_ptr<T>> answer_shared(result<T> x) {
  if (!x)
    return to_caf(x.error());
  return std::make_shared<T>(std::move(*x));
}

/// One question must not end the reader for all others.
template <class F>
auto guarded(F f) -> decltype(f()) {
  try {
    return f();
  } catch (const std::exception& x) {
    spdlog::error("a reader failed err=\"{}\"", x.what());
    return to_caf({errc::internal_error, "the log could not be read"});
  }
}

reader_actor::behavior_type reader(reader_actor::stateful_pointer<reader_state>,
                                   std::shared_ptr<const event_store> store, read_clock now_ms) {
  return {
    [=](const replay_request& x) {
      return guarded([&] { return answer_shared(log_reader{*store}.replay(x, now_ms())); });
    },
    [=](const mailbox_query& x) {
      return guarded([&] { return answer(mailbox_reader{*store}.read_page(x, now_ms())); });
    },
    [=](const mailbox_lookup& x) {
      return guarded([&] { return answer_shared(mailbox_reader{*store}.look_up(x, now_ms())); });
    },
    [=](const page_request& x) {
      return guarded([&] { return answer(log_reader{*store}.read_page(x, now_ms())); });
    },
    [=](const topics_request& x) {
      return guarded([&] { return answer(store->topics(x.after, x.prefix, x.limit, now_ms())); });
    },
  };
}

} // namespace

reader_actor spawn_reader(caf::actor_system& sys, std::shared_ptr<const event_store> store,
                          read_clock now_ms) {
  return sys.spawn<caf::detached>(reader, std::move(store), std::move(now_ms));
}

} // namespace tidings
