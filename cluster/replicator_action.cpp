#include "cluster/replicator_action.hpp"

namespace tidings::cluster {

uint64_t cost(const std::vector<replica>& records) noexcept {
  uint64_t result = 0;
  for (auto& x : records)
    result += cost(x);
  return result;
}

std::string_view to_string(alarm x) noexcept {
  switch (x) {
    case alarm::late_tail:
      return "late_tail";
    case alarm::fork_detected:
      return "fork_detected";
    case alarm::incarnation_reused:
      return "incarnation_reused";
    case alarm::too_many_origins:
      return "too_many_origins";
  }
  return "unknown";
}

std::string_view to_string(link_fault x) noexcept {
  switch (x) {
    case link_fault::replaced:
      return "replaced";
    case link_fault::not_a_member:
      return "not_a_member";
    case link_fault::credit_exceeded:
      return "credit_exceeded";
  }
  return "unknown";
}

} // namespace tidings::cluster
