// The floor: one thread, one epoll, one send() per event and subscriber, nothing stored, nothing
// routed. What a broker costs above this is what its features cost.
//
// Speaks as much HTTP as the load generator needs: any GET becomes an event stream, any POST with a
// Content-Length is sent to all of them and then answered. Usage: tidings-bench-floor PORT

#include <arpa/inet.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

constexpr size_t request_bytes_max = 1 << 20;
constexpr int stalled_ms = 5'000;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    if (n < 0 && errno == EINTR)
      continue;
    // There is no buffer to put the rest in, so a full socket stops everybody; a floor may.
    pollfd ready{fd, POLLOUT, 0};
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && poll(&ready, 1, stalled_ms) == 1)
      continue;
    return false;
  }
  return true;
}

class floor_server {
public:
  explicit floor_server(uint16_t port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
      fail("bind");
    if (listen(listener_, 4096) != 0)
      fail("listen");
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::vector<epoll_event> events(512);
    for (;;) {
      int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) {
        int fd = events[static_cast<size_t>(i)].data.fd;
        if (fd == listener_)
          accept_all();
        else
          read_from(fd);
      }
    }
  }

private:
  struct peer {
    std::string input;
    size_t stream = SIZE_MAX; // place in streams_
  };

  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    for (;;) {
      int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0)
        return;
      int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      peers_.emplace(fd, peer{});
      watch(fd);
    }
  }

  void drop(int fd) {
    auto found = peers_.find(fd);
    if (found == peers_.end())
      return;
    if (auto place = found->second.stream; place != SIZE_MAX) {
      streams_[place] = streams_.back();
      streams_.pop_back();
      if (place < streams_.size())
        peers_[streams_[place]].stream = place;
    }
    peers_.erase(found);
    close(fd);
  }

  void read_from(int fd) {
    auto found = peers_.find(fd);
    if (found == peers_.end())
      return;
    auto n = recv(fd, buffer_.get(), buffer_size, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
      drop(fd);
      return;
    }
    if (n < 0)
      return;
    auto& input = found->second.input;
    input.append(buffer_.get(), static_cast<size_t>(n));
    while (serve_one(fd, found->second)) {
    }
    if (input.size() > request_bytes_max)
      drop(fd);
  }

  // Whether there was a whole request.
  bool serve_one(int fd, peer& from) {
    std::string_view input = from.input;
    auto head_end = input.find("\r\n\r\n");
    if (head_end == std::string_view::npos)
      return false;
    auto head = input.substr(0, head_end + 2);
    if (input.starts_with("GET ")) {
      from.input.erase(0, head_end + 4);
      open_stream(fd, from);
      return true;
    }
    size_t length = 0;
    constexpr std::string_view field = "\r\nContent-Length: ";
    if (auto at = head.find(field); at != std::string_view::npos)
      length = std::strtoul(head.data() + at + field.size(), nullptr, 10);
    if (input.size() < head_end + 4 + length)
      return false;
    publish(input.substr(head_end + 4, length));
    from.input.erase(0, head_end + 4 + length);
    send_all(fd, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
    return true;
  }

  void open_stream(int fd, peer& from) {
    if (from.stream == SIZE_MAX) {
      from.stream = streams_.size();
      streams_.push_back(fd);
    }
    send_all(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                 "Cache-Control: no-store\r\n\r\n: hi\n\n");
  }

  void publish(std::string_view data) {
    // An id of about the length that brokers send, so that frames are alike in size.
    char id[40];
    auto n = std::snprintf(id, sizeof(id), "id: f1.%020llu\ndata: ", ++sequence_);
    frame_.assign(id, static_cast<size_t>(n));
    frame_.append(data);
    frame_.append("\n\n");
    for (int fd : streams_)
      if (!send_all(fd, frame_))
        broken_.push_back(fd);
    for (int fd : broken_)
      drop(fd);
    broken_.clear();
  }

  static constexpr size_t buffer_size = size_t{64} * 1024;

  int listener_ = -1;
  int epoll_ = -1;
  unsigned long long sequence_ = 0;
  std::unordered_map<int, peer> peers_;
  std::vector<int> streams_;
  std::vector<int> broken_;
  std::string frame_;
  std::unique_ptr<char[]> buffer_ = std::make_unique<char[]>(buffer_size);
};

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s PORT\n", argv[0]);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  floor_server server{static_cast<uint16_t>(std::atoi(argv[1]))};
  server.run();
}
