#pragma once

#include "http/exchange.hpp"

#include <memory>
#include <vector>

namespace tidings::http {

/// Publishes something and answers once: with what became of it, or when that takes too long.
class awaiting_publish : public exchange, public publish_listener {
public:
  void on_published(const publish_ptr& x) final;

  void on_deadline(session& s) final;

protected:
  /// Hands publications to the actors.
  void send(session& s, std::vector<publication> xs, bool atomic);

  /// What to answer when the outcome is known.
  virtual response outcome(session& s, const publish_request& x) = 0;

  /// What to answer when nothing was accepted.
  virtual response refused(const failure& why) = 0;

  /// What to answer when `limits.publish-timeout` is over.
  virtual response late() = 0;

private:
  std::weak_ptr<session> session_;
  bool answered_ = false;
};

} // namespace tidings::http
