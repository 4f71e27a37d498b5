#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace bench {

/// Lifts the limit of open files to what the system lets us have.
void raise_file_limit();

/// A connected, non-blocking socket to 127.0.0.1:`port`. Source addresses are 127.0.1.1 and on, a
/// thousand sockets each, so that ports do not run out. `receive_bytes` 0 leaves the buffer to the
/// kernel. Ends the program when it cannot connect.
int connect_to(uint16_t port, uint64_t index, int receive_bytes = 0);

/// The same, but -1 if nobody listens there.
int try_connect_to(uint16_t port, uint64_t index, int receive_bytes = 0);

/// Sends all, waits if it must: for requests that fit into any socket buffer. False when broken.
bool send_request(int fd, std::string_view bytes);

/// Closes with a reset, so that thousands of sockets do not wait in TIME_WAIT.
void reset_and_close(int fd);

/// Bytes that the kernel holds on connections from local port `port`: sent by their server and not
/// yet taken by the peer's kernel.
uint64_t unsent_bytes(uint16_t port);

/// One buffer for all sockets of the process: what is read is looked at before the next read.
std::span<char> shared_buffer();

} // namespace bench
