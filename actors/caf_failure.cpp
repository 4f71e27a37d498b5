#include "actors/caf_failure.hpp"

#include <caf/message.hpp>
#include <caf/sec.hpp>

namespace tidings {

caf::error to_caf(const failure& x) {
  return caf::make_error(x.code, x.detail);
}

failure from_caf(const caf::error& x) {
  if (x == caf::sec::request_timeout)
    return {errc::overloaded, "the broker is too busy to answer in time"};
  if (x == caf::sec::request_receiver_down)
    return {errc::shutting_down, "the broker is stopping"};
  if (x.category() != caf::atom("tidings"))
    return {errc::internal_error, "an unexpected failure inside the broker"};
  auto& context = x.context();
  auto detail = context.match_elements<std::string>() ? context.get_as<std::string>(0) : "";
  return {static_cast<errc>(x.code()), detail};
}

} // namespace tidings
