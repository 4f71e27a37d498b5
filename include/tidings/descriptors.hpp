#pragma once

#include <cstdint>

namespace tidings {

/// How the file descriptors of the process are shared out: the store must find one whenever it
/// needs a file, so connections get what it leaves.
struct descriptor_budget {
  uint32_t store_files;     ///< table files that the store keeps open at most
  uint64_t connections_max; ///< open sockets, all together
};

/// @param limit descriptors that the process may have
descriptor_budget share_descriptors(uint64_t limit);

/// Raises the soft limit of this process to the hard one.
/// @returns how many descriptors the process may have
uint64_t raise_descriptor_limit();

/// @returns how many descriptors the process may have
uint64_t descriptor_limit();

} // namespace tidings
