// Mode sync: what this disk takes for one record appended and synced. No server is asked.

#include "clock.hpp"
#include "modes.hpp"
#include "options.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace bench {

report run_sync(run_context& x) {
  auto path = x.opts.text("file", "");
  auto bytes = x.opts.number("bytes", 300);
  auto events = x.opts.number("events", 2000);
  x.opts.refuse_unknown();

  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0)
    fail("--file " + path + ": " + std::strerror(errno));
  const std::string record(bytes, 'x');
  histogram times;
  auto run = [&](uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      auto begin = now_ns();
      if (write(fd, record.data(), record.size()) != static_cast<ssize_t>(record.size())
          || fdatasync(fd) != 0)
        fail("write and sync: " + std::string{std::strerror(errno)});
      times.add(now_ns() - begin);
    }
  };
  run(events / 5);
  times.clear();
  cpu_window window{x.probe};
  run(events);
  window.stop();
  close(fd);
  unlink(path.c_str());

  report out;
  out.parameters.add("bytes", bytes).add("events", events);
  auto& r = out.results;
  r.add("complete", true);
  r.add("publishes_per_second", static_cast<double>(events) / window.seconds());
  add_percentiles(r, "answer", times);
  window.describe(r, "publish", events);
  return out;
}

} // namespace bench
