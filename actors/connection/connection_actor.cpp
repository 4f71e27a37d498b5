#include "actors/connection/connection_actor.hpp"

#include "actors/caf_failure.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/shard/shard.hpp"
#include "tidings/text.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <chrono>

namespace tidings {

namespace {

// The reader is an actor of this process: if it is gone, that is an error at once. A
// timeout would stay in CAF's clock for its whole time after the answer, one for each request.
constexpr auto no_timeout = caf::infinite;

class connection : public pinned<connection_actor::base>, public stream::owner {
public:
  connection(caf::actor_config& cfg, caf::execution_unit* unit, shard* home, reader_actor reader,
             uint64_t id, stream_request what, std::shared_ptr<byte_sink> sink)
    : pinned(cfg, unit),
      reader_(std::move(reader)),
      stream_(std::make_unique<stream>(*home, *this, id, std::move(what), std::move(sink))) {
    // nop
  }

  const char* name() const override {
    return "tidings.connection";
  }

  behavior_type make_behavior() override {
    if (!stream_->has_ended() && spdlog::should_log(spdlog::level::debug)) // else it has no topics
      spdlog::debug("stream opened {}", description());
    stream_->start();
    return {
      [this](caf::close_atom, end_reason) { quit(); },
    };
  }

  void on_exit() override {
    stream_.reset();
    reader_ = nullptr;
  }

  // -- stream::owner
  // -----------------------------------------------------------------------------------

  void read(replay_request x) override {
    request(reader_, no_timeout, std::move(x))
      .then([this](const replay_chunk_ptr& chunk) { stream_->on_chunk(*chunk); },
            [this](const caf::error& err) {
              if (stream_->has_ended())
                return; // meanwhile: it has no subscription any more
              auto why = from_caf(err);
              spdlog::warn("replay failed {} err={} detail=\"{}\"", description(),
                           to_string(why.code), why.detail);
              stream_->on_read_failed(why);
            });
  }

  void ended(end_reason why) override {
    log_end(why);
    caf::anon_send(connection_actor{this}, caf::close_atom_v, why);
  }

private:
  /// Who the stream is, for logs.
  std::string description() const {
    auto x = stream_->info();
    return fmt::format("conn={:016x} user=\"{}\" topics=\"{}\" types=\"{}\" address={}", x.id,
                       for_log(x.user), for_log(x.topics), for_log(x.types), x.address);
  }

  /// Clients come and go; what the broker ends is worth a look.
  void log_end(end_reason why) const {
    auto level = why == end_reason::closed || why == end_reason::slow_reader ? spdlog::level::info
                                                                             : spdlog::level::debug;
    if (!spdlog::should_log(level))
      return;
    auto x = stream_->info();
    spdlog::log(level, "stream ended {} reason={} seconds={} events={} bytes={} dropped={}",
                description(), to_string(why), (stream_->age_ms() + 500) / 1000, x.events, x.bytes,
                x.dropped);
  }

  reader_actor reader_;
  std::unique_ptr<stream> stream_;
};

} // namespace

connection_actor spawn_connection(caf::actor_system& sys, caf::execution_unit* unit, shard& home,
                                  reader_actor reader, uint64_t id, stream_request what,
                                  std::shared_ptr<byte_sink> sink) {
  return sys.spawn<connection>(unit, &home, std::move(reader), id, std::move(what),
                               std::move(sink));
}

} // namespace tidings
