#include "net.hpp"

#include "options.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

void raise_file_limit() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int connect_to(uint16_t port, uint64_t index, int receive_bytes) {
  int fd = try_connect_to(port, index, receive_bytes);
  if (fd < 0)
    fail("connect to port " + std::to_string(port) + ": " + std::strerror(errno));
  return fd;
}

int try_connect_to(uint16_t port, uint64_t index, int receive_bytes) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    fail(std::string{"socket: "} + std::strerror(errno));
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  if (receive_bytes != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
  timeval patience{10, 0};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(0x7f000101U + static_cast<uint32_t>(index / 1000 % 200));
  if (bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof(from)) != 0)
    fail(std::string{"bind: "} + std::strerror(errno));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) {
    auto why = errno;
    close(fd);
    errno = why;
    return -1;
  }
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

bool send_request(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    if (errno == EINTR)
      continue;
    pollfd ready{fd, POLLOUT, 0};
    if (errno != EAGAIN || poll(&ready, 1, 5'000) != 1)
      return false;
  }
  return true;
}

void reset_and_close(int fd) {
  linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(fd);
}

uint64_t unsent_bytes(uint16_t port) {
  uint64_t sum = 0;
  auto* file = std::fopen("/proc/net/tcp", "re");
  if (!file)
    fail("no /proc/net/tcp");
  char line[512];
  while (std::fgets(line, sizeof(line), file)) {
    unsigned local = 0;
    unsigned long long unsent = 0;
    if (std::sscanf(line, " %*d: %*x:%x %*x:%*x %*x %llx:", &local, &unsent) == 2 && local == port)
      sum += unsent;
  }
  std::fclose(file);
  return sum;
}

std::span<char> shared_buffer() {
  static char buffer[256 * 1024];
  return buffer;
}

} // namespace bench
