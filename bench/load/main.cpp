// One load generator for every measurement: one thread, one epoll instance, one JSON line as
// result. bench/README.md says what each mode measures.

#include "modes.hpp"
#include "net.hpp"

#include <csignal>
#include <cstdio>
#include <string_view>
#include <unistd.h>

namespace {

constexpr auto usage =
  R"(usage: tidings-bench-load MODE --target tidings|floor|nchan --port PORT [--OPTION VALUE]...

common: --server-pid PID[,PID]  --topic bench  --data-bytes 200  --ack written
        --timeout SECONDS (180: then the run ends by itself, without a result)

fanout     --subscribers 1000 --publishers 1 --events 1000 --warmup EVENTS --rate EVENTS_PER_S (0: closed loop)
broadcast  --subscribers 15000 --events 20 --warmup 3 --gap-ms 200
idle       --streams 15000 --topics 1 --baseline 100 --settle-s 3 --hold-s 60
publish    --connections 32 --events 100000 --warmup EVENTS --topics 1 --settle-s 0
ndjson     --connections 1 --events 200000 --warmup EVENTS --topics 1 --chunk-bytes 65536
           --replicas PORT,PORT: also how long until these nodes have all
replay     --events 1000000 --since earliest --publishers 1 --expect-from-start yes|no
first      --streams 20 --since earliest --topics 1 --publishers 1
slow       --subscribers 50 --slow 1 --rate 1000 --phase-s 20 --settle-s 5 --publishers 4
crawl      --subscribers 50 --slow 1000 --rate 1000 --fill-s 60 --hold-s 60 --publishers 4
storm      --streams 10000 --topics 1000 --rate 1000 --away-s 5 --calm-s 5 --opening-max 1000 --patience-s 60
churn      --rounds 20000 --workers 32 --new-topics yes|no --publish yes|no --warmup ROUNDS
mailbox    --users 1000 --connections 32
hop        --ports A,B,C --rate 200 --events 2000 --publishers 8 --ack LEVEL
listen     --ports A,B,C --streams 1000 --retry-ms 100: commands on standard input, see listen.cpp
sync       --file PATH --bytes 300 --events 2000 (no --port)
)";

} // namespace

int main(int argc, char** argv) {
  using namespace bench;
  std::signal(SIGPIPE, SIG_IGN);
  options opts{argc, argv};
  struct {
    std::string_view name;
    report (*run)(run_context&);
  } const modes[] = {
    {"fanout", run_fanout},   {"broadcast", run_broadcast}, {"idle", run_idle},
    {"publish", run_publish}, {"ndjson", run_ndjson},       {"replay", run_replay},
    {"slow", run_slow},       {"crawl", run_crawl},         {"first", run_first},
    {"storm", run_storm},     {"churn", run_churn},         {"mailbox", run_mailbox},
    {"hop", run_hop},         {"listen", run_listen},       {"sync", run_sync},
  };
  for (const auto& mode : modes) {
    if (mode.name != opts.mode())
      continue;
    alarm(static_cast<unsigned>(opts.number("timeout", 180)));
    raise_file_limit();
    auto to = target::from(opts);
    server_probe probe{opts.pids("server-pid")};
    run_context context{opts, to, probe};
    auto x = mode.run(context);
    json_line line;
    line.add("mode", mode.name).add("target", to.name);
    line.add("parameters", x.parameters).add("results", x.results);
    std::printf("%s\n", line.str().c_str());
    return 0;
  }
  std::fputs(usage, stderr);
  return 2;
}
