// Mode listen: streams that are held while somebody else publishes and restarts nodes. Says what it
// has when asked, one JSON line per command on its standard input:
//
//   clear            forgets what was counted, not which numbers came
//   want N SECONDS   waits until every stream has the numbers up to N, and says what came
//   end

#include "follower_set.hpp"
#include "modes.hpp"
#include "stream_set.hpp"

#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <unistd.h>

namespace bench {

namespace {

class command_line {
public:
  command_line() {
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
  }

  /// The next line, if there is a whole one. The end of the input is the command `end`.
  std::optional<std::string> next() {
    char buffer[256];
    auto n = read(STDIN_FILENO, buffer, sizeof(buffer));
    if (n == 0)
      return "end";
    if (n > 0)
      input_.append(buffer, static_cast<size_t>(n));
    auto end = input_.find('\n');
    if (end == std::string::npos)
      return std::nullopt;
    auto line = input_.substr(0, end);
    input_.erase(0, end + 1);
    return line;
  }

private:
  std::string input_;
};

void say(const json_line& line) {
  std::printf("%s\n", line.str().c_str());
  std::fflush(stdout);
}

std::string counts_of(const histogram& x) {
  std::string text;
  x.for_each([&](uint64_t ns, uint64_t count) {
    text += std::to_string(ns) + ':' + std::to_string(count) + ' ';
  });
  return text;
}

} // namespace

report run_listen(run_context& x) {
  follower_plan plan{.topic = x.opts.text("topic", "bench"), .ports = x.opts.ports("ports")};
  plan.retry_ms = x.opts.number("retry-ms", 100);
  plan.opening_max = x.opts.number("opening-max", 128);
  plan.first_index = x.opts.number("first-index", 0);
  auto count = x.opts.number("streams", 1000);
  x.opts.refuse_unknown();

  reactor loop;
  // A few first, so that what the server sets up once is not counted as theirs.
  stream_set baseline{loop, x.to, {.topic = plan.topic}, plan.first_index + count};
  baseline.open(100);
  auto before = x.probe.rss_bytes();
  follower_set followers{loop, x.to, plan, count};
  followers.be_strict();
  auto begin = now_ns();
  followers.open();
  auto all_open = [&] {
    followers.tend();
    return followers.all_open();
  };
  if (!loop.run_until(now_ns() + 60 * ns_per_second, all_open))
    fail("streams do not open: " + std::to_string(followers.open_count()) + " of "
         + std::to_string(count));
  auto open_s = static_cast<double>(now_ns() - begin) * 1e-9;
  loop.run_for(ns_per_second);
  auto grown = static_cast<double>(x.probe.rss_bytes()) - static_cast<double>(before);
  json_line opened;
  opened.add("open_seconds", open_s);
  opened.add("rss_per_stream_bytes", grown / static_cast<double>(count));
  say(opened);

  command_line commands;
  auto window = std::make_unique<cpu_window>(x.probe);
  for (;;) {
    std::string command;
    loop.run_until(UINT64_MAX, [&] {
      followers.tend();
      auto line = commands.next();
      command = line.value_or("");
      return line.has_value();
    });
    unsigned long long number = 0;
    double seconds = 0;
    json_line answer;
    if (command == "end") {
      break;
    } else if (command == "clear") {
      followers.tally() = {};
      window = std::make_unique<cpu_window>(x.probe);
    } else if (std::sscanf(command.c_str(), "want %llu %lf", &number, &seconds) == 2) {
      followers.want({static_cast<uint32_t>(number)});
      auto deadline = now_ns() + static_cast<uint64_t>(seconds * 1e9);
      loop.run_until(deadline, [&] {
        followers.tend();
        return followers.satisfied() == count;
      });
      window->stop();
      const auto& tally = followers.tally();
      answer.add("satisfied", followers.satisfied()).add("open", followers.open_count());
      answer.add("events", tally.events).add("missing", followers.missing());
      answer.add("doubled", tally.doubled).add("late", tally.late).add("gaps", followers.gaps());
      answer.add("unreadable", tally.unreadable);
      answer.add("ended", tally.ended).add("refused", tally.refused);
      answer.add("latency_counts", counts_of(tally.latency));
      window->describe(answer, "event", tally.events);
    } else {
      fail("no such command: " + command);
    }
    say(answer);
  }

  report out;
  out.parameters.add("streams", count);
  out.results.add("complete", true);
  return out;
}

} // namespace bench
