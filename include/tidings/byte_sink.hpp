#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tidings {

/// The socket end of one stream, as the actors see it. All calls on the stream's own thread.
class byte_sink {
public:
  /// Hears about the sink, never from inside a call to it.
  class listener {
  public:
    virtual ~listener() = default;

    /// The sink takes bytes again.
    virtual void on_writable() = 0;

    /// The other side has left, or the socket `failed`: nothing can be written any more.
    virtual void on_gone(bool failed) = 0;
  };

  virtual ~byte_sink() = default;

  /// Says who hears about the sink from now on; nullptr: nobody.
  virtual void attach(listener* who) = 0;

  /// Hands bytes to the socket and returns how many it took. Fewer than given means that it is
  /// full: `on_writable` follows once. After a failure everything is taken and dropped, `on_gone`
  /// follows.
  virtual size_t write(std::span<const std::string_view> pieces) = 0;

  /// Says that `write` comes soon: fetches into the cache what it needs. Writing to a thousand
  /// sockets in turn, the kernel has pushed all of it out since the last time.
  virtual void prefetch() const noexcept {
    // nop
  }

  /// Ends the stream: at once, or after what was taken has been sent if `gracefully`.
  virtual void close(bool gracefully) = 0;

  /// Address of the other side, for people.
  virtual std::string peer() const = 0;
};

} // namespace tidings
