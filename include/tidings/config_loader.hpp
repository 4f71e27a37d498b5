#pragma once

#include "tidings/config.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// Where settings come from, strongest last: defaults, file, environment, command line.
struct config_sources {
  std::optional<std::string> file; ///< path of a TOML file

  /// Only names that begin with `TIDINGS_`, without those that the command line itself reads.
  std::map<std::string, std::string> environment;

  std::vector<std::string> assignments; ///< `section.key=value`
};

/// One setting, for people.
struct setting_description {
  std::string key;         ///< `stream.heartbeat-interval`
  std::string environment; ///< `TIDINGS_STREAM_HEARTBEAT_INTERVAL`
  std::string type;        ///< `duration`, `size`, `number`, `text`, `switch`, `list`, `pattern`,
                           ///< `secret`, or the choices
  std::string value;       ///< in the given configuration
  std::string help;
  bool reloadable = false; ///< whether SIGHUP takes a change over
};

/// Reads, merges and validates. A failure has errc::invalid_configuration and names the file and
/// line, variable or flag, all problems at once, one per line. Unknown keys, and unknown variables
/// that begin with `TIDINGS_`, are problems, but for those that container platforms set for a
/// service with such a name (`TIDINGS_SERVICE_HOST`, `TIDINGS_PORT_7300_TCP`). For every variable
/// there is `NAME_FILE`, a file that holds the value (one line end at its end is removed).
result<config> load_config(const config_sources& from);

/// Every setting with its value, in the order of the documentation.
std::vector<setting_description> describe(const config& x);

/// Every setting of a `[[topic]]` with its value, empty if the rule leaves it to `[topics]`. These
/// are set in a file only.
std::vector<setting_description> describe(const topic_rule& x);

/// Every setting of an `[[auth.key]]`; of a secret only whether there is one.
std::vector<setting_description> describe(const auth_key& x);

/// Every setting of an `[[auth.api-key]]`.
std::vector<setting_description> describe(const auth_api_key& x);

/// Every setting of a `[[profile]]`, empty if it is as the profile has it.
std::vector<setting_description> describe(const profile_rule& x);

/// Every setting of a `[[schema]]`.
std::vector<setting_description> describe(const schema_rule& x);

/// The merged configuration as a file that loads again, each value with a comment that says where
/// it comes from; secrets are left out. Fails like `load_config`.
result<std::string> explain_config(const config_sources& from);

/// A file to start from: every setting with its meaning and default, commented out.
std::string sample_config();

/// The keys that differ and that a running broker cannot take over.
std::vector<std::string> needs_restart(const config& before, const config& after);

} // namespace tidings
