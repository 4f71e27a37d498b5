#include "tidings/config_loader.hpp"

#include "config_draft.hpp"
#include "config_file.hpp"
#include "config_problem.hpp"
#include "near_miss.hpp"
#include "setting_table.hpp"
#include "tidings/text.hpp"
#include "tidings/text_file.hpp"

#include <algorithm>

namespace tidings {

namespace {

void set(config_draft& to, const setting<config>& what, std::string_view text,
         const std::string& where) {
  std::string key{what.key};
  if (what.field.read(text, to.values)) {
    to.sources[key] = where;
  } else {
    to.unusable.insert(key);
    to.complain(where, bad_value(key, what, '"' + for_log(text) + '"'));
  }
}

// -- environment ---------------------------------------------------------------------------------

constexpr std::string_view file_suffix = "_FILE";

/// Kubernetes and Docker put variables such as TIDINGS_PORT=tcp://10.0.0.1:7300 beside a service
/// that is called tidings. They are not meant for us.
bool is_service_link(std::string_view name, std::string_view value) {
  auto port = name.find("_PORT_");
  return name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != std::string_view::npos
         || (name.ends_with("_PORT") && value.find("://") != std::string_view::npos)
         || (port != std::string_view::npos && port + 6 < name.size() && name[port + 6] >= '0'
             && name[port + 6] <= '9');
}

const setting<config>* find_by_environment(std::string_view name) {
  auto table = settings();
  auto i = std::find_if(table.begin(), table.end(),
                        [name](auto& x) { return environment_name(x.key) == name; });
  return i == table.end() ? nullptr : &*i;
}

void read_variable_file(const std::string& name, const std::string& path,
                        const setting<config>& what, config_draft& to) {
  auto content = read_text_file(path);
  if (!content) {
    to.unusable.emplace(what.key);
    to.complain(name, for_log(path) + ' ' + content.error().detail);
    return;
  }
  if (content->ends_with('\n'))
    content->pop_back();
  if (content->ends_with('\r'))
    content->pop_back();
  set(to, what, *content, name);
}

void read_variable(const std::string& name, const std::string& value,
                   const std::map<std::string, std::string>& all, config_draft& to) {
  if (auto what = find_by_environment(name))
    return set(to, *what, value, name);
  std::string_view base = name;
  if (base.ends_with(file_suffix))
    base.remove_suffix(file_suffix.size());
  auto what = find_by_environment(base);
  if (what && all.count(std::string{base}))
    to.complain(name, std::string{base} + " is set too: remove one of the two");
  else if (what)
    read_variable_file(name, value, *what, to);
  else if (!is_service_link(name, value)) {
    std::vector<std::string> names;
    for (auto& x : settings())
      names.push_back(environment_name(x.key));
    to.complain(for_log(name), "there is no such setting" + did_you_mean(name, names));
  }
}

// -- command line --------------------------------------------------------------------------------

void read_assignment(std::string_view assignment, config_draft& to) {
  static const std::string where = "command line";
  auto equals = assignment.find('=');
  auto key = assignment.substr(0, equals);
  if (equals == std::string_view::npos)
    to.complain(where, '"' + for_log(assignment) + "\" is not SECTION.KEY=VALUE");
  else if (auto what = find_setting(key))
    set(to, *what, assignment.substr(equals + 1), where);
  else
    to.complain(where,
                "there is no setting " + for_log(key) + did_you_mean(key, keys_of(settings())));
}

// -- the whole -----------------------------------------------------------------------------------

/// Rules across settings, without what only follows from a value that could not be used.
void check(config_draft& x) {
  for (auto& problem : find_problems(x.values)) {
    auto& keys = problem.keys;
    if (std::any_of(keys.begin(), keys.end(), [&x](auto& key) { return x.unusable.count(key); }))
      continue;
    auto source =
      std::find_if(keys.begin(), keys.end(), [&x](auto& key) { return x.sources.count(key); });
    if (source != keys.end())
      x.complain(x.sources[*source], problem.text);
    else
      x.problems.push_back(problem.text);
  }
}

template <class Owner>
setting_description describe_one(const setting<Owner>& what, const Owner& x) {
  return {std::string{what.key},
          {},
          type_name(what.field.kind, what.field.choices),
          what.field.write(x),
          std::string{what.help},
          what.change == on_reload::apply};
}

template <class Owner>
std::vector<setting_description> describe_all(std::span<const setting<Owner>> table,
                                              const Owner& x) {
  std::vector<setting_description> all;
  for (auto& what : table)
    all.push_back(describe_one(what, x));
  return all;
}

} // namespace

config_draft draft_config(const config_sources& from) {
  config_draft x;
  if (from.file)
    read_config_file(*from.file, x);
  for (auto& [name, value] : from.environment)
    read_variable(name, value, from.environment, x);
  for (auto& assignment : from.assignments)
    read_assignment(assignment, x);
  if (x.complete)
    check(x);
  return x;
}

failure to_failure(const config_draft& x) {
  std::string all;
  for (auto& problem : x.problems)
    all += (all.empty() ? "" : "\n") + problem;
  return {errc::invalid_configuration, std::move(all)};
}

result<config> load_config(const config_sources& from) {
  auto draft = draft_config(from);
  if (!draft.problems.empty())
    return to_failure(draft);
  return std::move(draft.values);
}

std::vector<setting_description> describe(const config& x) {
  auto all = describe_all(settings(), x);
  for (auto& what : all)
    what.environment = environment_name(what.key);
  return all;
}

std::vector<setting_description> describe(const topic_rule& x) {
  return describe_all(rule_settings(), x);
}

std::vector<setting_description> describe(const auth_key& x) {
  return describe_all(key_settings(), x);
}

std::vector<setting_description> describe(const profile_rule& x) {
  return describe_all(profile_settings_table(), x);
}

std::vector<setting_description> describe(const schema_rule& x) {
  return describe_all(schema_settings(), x);
}

std::vector<setting_description> describe(const auth_api_key& x) {
  return describe_all(api_key_settings(), x);
}

std::vector<std::string> needs_restart(const config& before, const config& after) {
  std::vector<std::string> keys;
  for (auto& what : settings())
    if (what.change == on_reload::restart && what.field.write(before) != what.field.write(after))
      keys.emplace_back(what.key);
  // New certificates are a reload; a socket that speaks TLS or not is a new socket.
  if (before.tls.certificate.empty() != after.tls.certificate.empty())
    keys.emplace_back("tls.certificate");
  return keys;
}

} // namespace tidings
