#include "config_draft.hpp"
#include "setting_table.hpp"
#include "tidings/config_loader.hpp"
#include "tidings/text.hpp"

#include <algorithm>

namespace tidings {

namespace {

constexpr size_t comment_column = 48;

std::string literal(value_kind kind, const std::string& value) {
  if (kind == value_kind::number || kind == value_kind::boolean)
    return value;
  std::string out;
  if (kind != value_kind::list) {
    append_json_string(out, value); // a TOML basic string has the same escapes
    return out;
  }
  for (auto& item : split_list(value)) {
    out += out.empty() ? "" : ", ";
    append_json_string(out, item);
  }
  return '[' + out + ']';
}

template <class Owner>
std::string line(const setting<Owner>& what, const Owner& x) {
  return std::string{name_of(what.key)} + " = " + literal(what.field.kind, what.field.write(x));
}

/// A line with what `sources` knows about the key.
std::string explained(std::string line, const config_draft& x, std::string_view key) {
  auto source = x.sources.find(key);
  line.resize(std::max(line.size() + 1, comment_column), ' ');
  return line + "# " + (source == x.sources.end() ? "default" : source->second) + '\n';
}

/// The tables of an array, each under its header, with what is set in them.
template <class Owner>
std::string explained_tables(std::string_view name, std::span<const setting<Owner>> table,
                             const std::vector<Owner>& all, const config_draft& x) {
  std::string out;
  for (size_t i = 0; i < all.size(); ++i) {
    out.append("\n[[").append(name).append("]]\n");
    for (auto& what : table) {
      auto hidden = what.field.kind == value_kind::secret;
      if (!what.field.write(all[i]).empty())
        out += explained((hidden ? "#" : "") + line(what, all[i]), x, table_key(name, i, what.key));
    }
  }
  return out;
}

/// What the settings of a table mean, for the sample.
template <class Owner>
std::string legend(std::span<const setting<Owner>> table) {
  std::string out;
  for (auto& what : table) {
    std::string name{what.key};
    name.resize(std::max<size_t>(name.size(), 16), ' ');
    out.append("#   ").append(name).append(" ").append(what.help).append("\n");
  }
  return out;
}

/// Calls `f(setting)` for each setting and puts the headers of the sections before them.
template <class F>
void for_each_section(std::string& out, F f) {
  std::string_view section;
  for (auto& what : settings()) {
    if (section != section_of(what.key)) {
      section = section_of(what.key);
      out.append(out.empty() ? "[" : "\n[").append(section).append("]\n");
    }
    f(what);
  }
}

constexpr std::string_view sample_head =
  R"(# Configuration of Tidings: every setting with its meaning and its default.
#
# Remove the # before a setting to change it. Durations have a unit (500ms, 30s, 5m, 12h, 7d), 0 needs
# none; sizes count in powers of 1024 (512, 64KiB, 1MiB, 2GiB).
#
# Stronger than this file are variables (TIDINGS_STREAM_RETRY_MIN for retry-min in [stream], or
# TIDINGS_STREAM_RETRY_MIN_FILE with the name of a file that holds the value) and, strongest, the
# command line. Settings marked with (restart) are read at the start only, the others also on SIGHUP.

)";

constexpr std::string_view sample_keys = R"(
# Keys that tokens are checked with, as many as you like. See docs/security.md.
#
)";

constexpr std::string_view sample_key_examples = R"(
#[[auth.key]]
#id = "2026-11"
#algorithm = "EdDSA"
#file = "/etc/tidings/token-key.pem"
#issuer = "https://login.example.com"
)";

constexpr std::string_view sample_api_keys = R"(
# Keys that programs publish with. `tidings token hash` makes the lines from a key.
#
)";

constexpr std::string_view sample_api_key_examples = R"(
#[[auth.api-key]]
#name = "shop"
#sha256 = "726e3f71f766881c21c44457b69c62f2f88c0fb52fa089b1e37bfb5782812e2c"
#publish = ["order:*"]
#subscribe = []
#admin = false
)";

constexpr std::string_view sample_profiles = R"(
# Profiles: paths and manners of systems that the broker stands in for, see docs/profiles.md. What a
# table does not name is as the system had it.
#
)";

constexpr std::string_view sample_profile_examples = R"(
#[[profile]]
#kind = "notifications"
#mount = "/old"
#heartbeat-interval = "30s"
#streams-per-user = 5
)";

constexpr std::string_view sample_schemas = R"(
# JSON Schemas that the data of events of a type must fit, see docs/http.md.
#
)";

constexpr std::string_view sample_schema_examples = R"(
#[[schema]]
#type = "order.created"
#file = "/etc/tidings/order.schema.json"
#bytes-max = "64KiB"
)";

constexpr std::string_view sample_rules = R"(
# Rules for the topics that match a pattern, as many as you like; the first match in the file wins.
# What a rule does not name is as in [topics].
#
)";

constexpr std::string_view sample_rule_examples = R"(
#[[topic]]
#pattern = "order:*"
#ttl = "30d"
#ttl-max = "90d"
#level = "fsync"
#keep = 1000
#keep-bytes = "16MiB"
#rate-per-second = 50

#[[topic]]
#pattern = "typing/**"
#ephemeral = true
)";

} // namespace

result<std::string> explain_config(const config_sources& from) {
  auto draft = draft_config(from);
  if (!draft.problems.empty())
    return to_failure(draft);
  std::string out;
  for_each_section(
    out, [&](auto& what) { out += explained(line(what, draft.values), draft, what.key); });
  auto& x = draft.values;
  out += explained_tables("auth.key", key_settings(), x.auth.keys, draft);
  out += explained_tables("auth.api-key", api_key_settings(), x.auth.api_keys, draft);
  out += explained_tables("profile", profile_settings_table(), x.profile, draft);
  out += explained_tables("schema", schema_settings(), x.schema, draft);
  out += explained_tables("topic", rule_settings(), x.topic, draft);
  return out;
}

std::string sample_config() {
  std::string out{sample_head};
  out.pop_back(); // for_each_section puts an empty line before its first header
  for_each_section(out, [&out, defaults = config{}](auto& what) {
    out.append("\n# ").append(what.help);
    if (what.change == on_reload::restart)
      out += " (restart)";
    if (what.field.kind == value_kind::text && !what.field.choices.empty())
      out += "\n# One of " + type_name(what.field.kind, what.field.choices) + '.';
    out += "\n#" + line(what, defaults) + '\n';
  });
  out.append(sample_keys).append(legend(key_settings())).append(sample_key_examples);
  out.append(sample_api_keys).append(legend(api_key_settings())).append(sample_api_key_examples);
  out.append(sample_profiles)
    .append(legend(profile_settings_table()))
    .append(sample_profile_examples);
  out.append(sample_schemas).append(legend(schema_settings())).append(sample_schema_examples);
  out.append(sample_rules).append(legend(rule_settings())).append(sample_rule_examples);
  return out;
}

} // namespace tidings
