#pragma once

#include "tidings/config.hpp"
#include "tidings/result.hpp"

#include <functional>
#include <memory>
#include <string>

namespace tidings {

/// A running broker: builds everything in order, and takes it down in reverse.
class broker {
public:
  /// Starts a broker. When it returns, the broker serves.
  /// @param on_broken called on any thread if the store fails later: stop and exit then
  static result<std::unique_ptr<broker>> start(config cfg,
                                               std::function<void(const failure&)> on_broken);

  virtual ~broker() = default;

  /// `http://127.0.0.1:7300`
  virtual std::string url() const = 0;

  /// Takes over what can be changed while running. A failure changes nothing.
  virtual status reload(config cfg) = 0;

  /// Refuses new work, finishes what was accepted, ends every stream with a notice, and stops.
  virtual void stop() = 0;
};

} // namespace tidings
