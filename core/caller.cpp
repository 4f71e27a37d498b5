#include "tidings/caller.hpp"

namespace tidings {

const char* to_string(caller::way x) noexcept {
  switch (x) {
    case caller::way::nobody:
      return "nobody";
    case caller::way::open:
      return "open";
    case caller::way::token:
      return "token";
    case caller::way::cookie:
      return "cookie";
    case caller::way::query:
      return "query";
    case caller::way::proxy:
      return "proxy";
    case caller::way::api_key:
      return "api_key";
  }
  return "unknown";
}

} // namespace tidings
