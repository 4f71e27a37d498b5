#pragma once

#include "http/request.hpp"
#include "http/session.hpp"

#include <memory>
#include <string>

namespace tidings::http {

/// One request and the making of its answer; made by the router, kept by the session until it is
/// answered.
class exchange : public std::enable_shared_from_this<exchange> {
public:
  virtual ~exchange() = default;

  /// Whether the body is wanted in pieces as it comes, rather than whole.
  virtual bool streams() const {
    return false;
  }

  /// Whether the answer depends on the body: if not, only a short one is read before it.
  virtual bool wants_body() const {
    return true;
  }

  /// The request is there: its head and, unless it streams, its body. Answers now or later, once.
  virtual void begin(session& s, request& x) = 0;

  /// A piece of a streamed body; `last`: the request is complete. Returns whether more is wanted
  /// now: if not, `session::resume_body` asks for it.
  virtual bool on_body(session&, std::string_view, bool /*last*/) {
    return true;
  }

  /// The client took some of a streamed answer.
  virtual void on_room(session&) {
    // nop
  }

  /// A deadline set by `begin` with worker::set_deadline(session) has passed.
  virtual void on_deadline(session& s) = 0;

  /// The broker stops: who only waits is to answer now.
  virtual void on_drain(session&) {
    // nop
  }
};

/// The exchange for a request.
std::shared_ptr<exchange> route(const request& x, const config& cfg);

} // namespace tidings::http
