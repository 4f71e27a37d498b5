#pragma once

#include "net.hpp"
#include "options.hpp"
#include "response_reader.hpp"

#include <cerrno>
#include <string_view>
#include <sys/socket.h>

namespace bench {

/// Reads what has come on a connection with one request at a time, and calls `on_answer(status)`
/// when an answer is whole; it may send the next request. Fails when the connection does.
template <class F>
void read_answers(int fd, response_reader& reader, F on_answer) {
  auto buffer = shared_buffer();
  for (;;) {
    auto n = recv(fd, buffer.data(), buffer.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (n <= 0)
      fail("the server closed a connection");
    reader.feed({buffer.data(), static_cast<size_t>(n)}, [](std::string_view) {});
    if (reader.where() == response_reader::phase::broken)
      fail("a request was answered with something that is not HTTP");
    if (reader.where() == response_reader::phase::done) {
      auto status = reader.status();
      reader.next();
      on_answer(status);
    }
    if (static_cast<size_t>(n) < buffer.size())
      return;
  }
}

} // namespace bench
