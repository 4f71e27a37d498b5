#include "server_probe.hpp"

#include "clock.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace bench {

namespace {

std::string read_file(const std::string& path) {
  std::string text;
  if (int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC); fd >= 0) {
    char buffer[4096];
    for (ssize_t n = 0; (n = read(fd, buffer, sizeof(buffer))) > 0;)
      text.append(buffer, static_cast<size_t>(n));
    close(fd);
  }
  return text;
}

std::string proc(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + '/' + file;
}

// `VmRSS:     1234 kB`
uint64_t kib_field(const std::string& text, const char* name) {
  auto at = text.find(name);
  if (at == std::string::npos)
    return 0;
  return std::strtoull(text.c_str() + at + std::strlen(name), nullptr, 10) * 1024;
}

double clock_seconds(clockid_t clock) {
  timespec now{};
  if (clock_gettime(clock, &now) != 0)
    return 0;
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

} // namespace

double own_cpu_seconds() {
  return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

double server_probe::cpu_seconds() const {
  double sum = 0;
  for (auto pid : pids_) {
    clockid_t clock{};
    if (clock_getcpuclockid(pid, &clock) == 0)
      sum += clock_seconds(clock);
  }
  return sum;
}

uint64_t server_probe::rss_bytes() const {
  uint64_t sum = 0;
  for (auto pid : pids_)
    sum += kib_field(read_file(proc(pid, "status")), "VmRSS:");
  return sum;
}

server_usage server_probe::read() const {
  server_usage x;
  x.cpu_seconds = cpu_seconds();
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  for (auto pid : pids_) {
    auto status = read_file(proc(pid, "status"));
    x.rss_bytes += kib_field(status, "VmRSS:");
    x.anonymous_bytes += kib_field(status, "RssAnon:");
    x.peak_bytes += kib_field(status, "VmHWM:");
    // The name in parentheses may hold anything; the fields begin behind the last one.
    auto stat = read_file(proc(pid, "stat"));
    auto at = stat.rfind(')');
    unsigned long long user = 0;
    unsigned long long system = 0;
    if (at != std::string::npos
        && std::sscanf(stat.c_str() + at + 1,
                       " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system)
             == 2) {
      x.user_seconds += static_cast<double>(user) / ticks;
      x.system_seconds += static_cast<double>(system) / ticks;
    }
  }
  return x;
}

bool server_probe::reset_peak() const {
  bool done = !pids_.empty();
  for (auto pid : pids_) {
    int fd = open(proc(pid, "clear_refs").c_str(), O_WRONLY | O_CLOEXEC);
    done = fd >= 0 && write(fd, "5", 1) == 1 && done;
    if (fd >= 0)
      close(fd);
  }
  return done;
}

cpu_window::cpu_window(const server_probe& probe)
  : probe_(probe), before_(probe.read()), begin_ns_(now_ns()), own_before_(own_cpu_seconds()) {
  // The clock last, so that reading the other figures is not in the window.
  before_.cpu_seconds = probe_.cpu_seconds();
}

void cpu_window::stop() {
  auto cpu = probe_.cpu_seconds();
  auto end_ns = now_ns();
  own_cpu_ = own_cpu_seconds() - own_before_;
  after_ = probe_.read();
  after_.cpu_seconds = cpu;
  seconds_ = static_cast<double>(end_ns - begin_ns_) * 1e-9;
  server_cpu_ = after_.cpu_seconds - before_.cpu_seconds;
}

void cpu_window::describe(json_line& to, const char* unit, uint64_t units) const {
  to.add("seconds", seconds_);
  to.add("load_cpu_percent", 100 * own_cpu_ / seconds_);
  if (!probe_)
    return;
  to.add("server_cpu_percent", 100 * server_cpu_ / seconds_);
  if (units != 0)
    to.add(std::string{"server_cpu_us_per_"} + unit,
           1e6 * server_cpu_ / static_cast<double>(units));
  auto user = after_.user_seconds - before_.user_seconds;
  auto system = after_.system_seconds - before_.system_seconds;
  to.add("server_system_share", user + system > 0 ? system / (user + system) : 0);
  to.add("server_rss_before_bytes", before_.rss_bytes);
  to.add("server_rss_after_bytes", after_.rss_bytes);
}

} // namespace bench
