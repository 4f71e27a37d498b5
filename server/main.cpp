#include "identity/authenticator.hpp"
#include "server/broker.hpp"
#include "server/cluster_command.hpp"
#include "server/commands.hpp"
#include "server/logging.hpp"
#include "server/token_command.hpp"
#include "tidings/config_loader.hpp"
#include "tidings/schemas.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <pthread.h>
#include <signal.h>
#include <sstream>
#include <unistd.h>

extern char** environ;

namespace {

using namespace tidings;

// Exit codes; documented in docs/operations.md.
constexpr int exit_failure = 1;
constexpr int exit_usage = 2;
constexpr int exit_store_failed = 3;

struct options {
  std::string listen;
  std::string data_dir;
  std::string file;
  std::vector<std::string> assignments;
  std::string url;

  config_sources sources() const {
    config_sources x;
    if (!file.empty())
      x.file = file;
    for (char** i = environ; *i != nullptr; ++i) {
      auto text = std::string_view{*i};
      auto eq = text.find('=');
      auto is_ours = text.starts_with("TIDINGS_") && eq != text.npos;
      if (is_ours && text.substr(0, eq) != token_variable)
        x.environment.emplace(text.substr(0, eq), text.substr(eq + 1));
    }
    x.assignments = assignments;
    if (!listen.empty())
      x.assignments.push_back("server.listen=" + listen);
    if (!data_dir.empty())
      x.assignments.push_back("storage.directory=" + data_dir);
    return x;
  }
};

int complain(const failure& x) {
  std::cerr << "tidings: " << x.detail << '\n';
  return x.code == errc::invalid_configuration ? exit_usage : exit_failure;
}

/// Signals come to this thread only, and only where it waits for them.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (auto x : {SIGTERM, SIGINT, SIGHUP, SIGUSR2})
    sigaddset(&set, x);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

void print_banner(const broker& x, const config& cfg) {
  auto url = x.url();
  std::cout << "tidings " << TIDINGS_VERSION << " listening on " << url << "\n\n"
            << "  data:       " << cfg.storage.directory << '\n'
            << "  subscribe:  curl -N " << url << "/topics/hello\n"
            << "  publish:    curl -d 'good news' " << url << "/topics/hello\n\n"
            << std::flush;
}

/// One line per problem.
void log_refused_reload(const failure& why) {
  spdlog::error("reload refused, the old configuration stays");
  std::istringstream problems{why.detail};
  for (std::string line; std::getline(problems, line);)
    spdlog::error("reload: {}", line);
}

int serve(const options& opts) {
  auto cfg = load_config(opts.sources());
  if (!cfg)
    return complain(cfg.error());
  configure_logging(cfg->log);
  auto signals = block_signals();
  static std::atomic<bool> store_failed{false};
  auto main_thread = pthread_self();
  auto started = broker::start(*cfg, [main_thread](const failure& why) {
    spdlog::critical("the store failed: stopping, so that nothing is acknowledged that may be "
                     "lost err={} detail=\"{}\"",
                     to_string(why.code), why.detail);
    store_failed = true;
    pthread_kill(main_thread, SIGUSR2);
  });
  if (!started) {
    complain(started.error());
    return exit_failure;
  }
  auto& running = **started;
  print_banner(running, *cfg);
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP)
      break;
    auto fresh = load_config(opts.sources());
    auto why = fresh ? running.reload(*fresh) : status{fresh.error()};
    if (why)
      log_refused_reload(*why);
    else
      spdlog::info("configuration reloaded");
  }
  spdlog::info("stopping: no new work is taken");
  running.stop();
  spdlog::info("stopped");
  return store_failed ? exit_store_failed : 0;
}

/// Everything that can be known without starting: also whether keys and schemas can be used.
int check_config(const options& opts) {
  auto cfg = load_config(opts.sources());
  if (!cfg)
    return complain(cfg.error());
  if (auto sign_in = authenticator::make(cfg->auth); !sign_in)
    return complain(sign_in.error());
  if (auto schemas = schema_set::load(cfg->schema); !schemas)
    return complain(schemas.error());
  std::cout << "the configuration is valid\n";
  return 0;
}

/// Where the broker is that a command is about.
result<std::string> url_of(const options& opts) {
  if (!opts.url.empty())
    return opts.url;
  auto cfg = load_config(opts.sources());
  if (!cfg)
    return cfg.error();
  return (cfg->tls.certificate.empty() ? "http://" : "https://") + cfg->server.listen;
}

int health(const options& opts) {
  auto url = url_of(opts);
  return url ? check_health(*url) : complain(url.error());
}

int run_cluster(const cluster_command& x, const options& opts) {
  auto url = url_of(opts);
  return url ? x.run(*url) : complain(url.error());
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Tidings: publish with one HTTP request, subscribe over Server-Sent Events."};
  app.set_version_flag("-v,--version", "tidings " TIDINGS_VERSION);
  app.require_subcommand(1);
  options opts;
  auto with_config = [&opts](CLI::App* x) {
    x->add_option("--config", opts.file, "TOML file with settings");
    x->add_option("--listen", opts.listen, "HOST:PORT to serve on (server.listen)");
    x->add_option("--data-dir", opts.data_dir, "where events are kept (storage.directory)");
    x->add_option("--set", opts.assignments, "any setting, as section.key=value")
      ->allow_extra_args(false);
    return x;
  };
  auto* serve_command = with_config(app.add_subcommand("serve", "Run the broker"));
  auto* check_command =
    with_config(app.add_subcommand("check-config", "Check the configuration and stop"));
  auto* config_command =
    with_config(app.add_subcommand("config", "Print every setting as it is in effect"));
  auto sample = false;
  config_command->add_flag("--sample", sample, "print a file to start from instead");
  auto* health_command = with_config(
    app.add_subcommand("health", "Ask a running broker whether it is ready; exit status 0 if so"));
  health_command->add_option("--url", opts.url, "where it listens; default: as configured");
  auto* cluster_app = app.add_subcommand("cluster", "Look after a cluster");
  cluster_app->require_subcommand(1);
  cluster_command cluster{*cluster_app};
  for (auto* x : cluster.commands())
    with_config(x)->add_option("--url", opts.url, "where a node listens; default: as configured");
  auto* token = app.add_subcommand("token", "Make and check what people and programs sign in with");
  token_command tokens{*token};
  with_config(tokens.check_command());
  auto* version_command = app.add_subcommand("version", "Print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& x) {
    return app.exit(x) == 0 ? 0 : exit_usage;
  }
  if (*serve_command)
    return serve(opts);
  if (*version_command) {
    std::cout << "tidings " TIDINGS_VERSION "\n";
    return 0;
  }
  if (*health_command)
    return health(opts);
  if (*cluster_app)
    return run_cluster(cluster, opts);
  if (*token)
    return tokens.run([&opts] { return opts.sources(); });
  if (*check_command)
    return check_config(opts);
  if (*config_command && sample) {
    std::cout << sample_config();
    return 0;
  }
  auto text = explain_config(opts.sources());
  if (!text)
    return complain(text.error());
  std::cout << *text;
  return 0;
}
