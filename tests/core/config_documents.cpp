#define CAF_SUITE config_documents

#include "support/scratch_file.hpp"
#include "tidings/config_loader.hpp"

#include <caf/test/dsl.hpp>

#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

namespace {

using namespace tidings;

// What people read about the configuration is made from the table of settings, in the files
// themselves: UPDATE_DOCUMENTS=1 writes what the tests otherwise compare.

constexpr auto how_to_update = " differs from the settings. To write it anew: UPDATE_DOCUMENTS=1 "
                               "test-core -s config_documents";

std::string path_of(const std::string& name) {
  return TIDINGS_SOURCE_DIR "/" + name;
}

std::string read(const std::string& name) {
  std::ostringstream out;
  out << std::ifstream{path_of(name), std::ios::binary}.rdbuf();
  return out.str();
}

void check_document(const std::string& name, const std::string& expected) {
  if (std::getenv("UPDATE_DOCUMENTS"))
    std::ofstream{path_of(name), std::ios::binary} << expected;
  if (read(name) != expected)
    CAF_ERROR(name << how_to_update);
}

std::string code(const std::string& text) {
  return text.empty() ? "" : '`' + text + '`';
}

/// The settings whose key begins with `prefix`, as a table.
std::string table(const std::vector<setting_description>& all, const std::string& prefix) {
  std::string out = "| setting | default | type | reload | meaning |\n|---|---|---|---|---|\n";
  for (auto& x : all) {
    if (!x.key.starts_with(prefix))
      continue;
    out += "| " + code(x.key) + (x.environment.empty() ? "" : "<br>" + code(x.environment));
    out += " | " + code(x.value) + " | " + x.type + " | " + (x.reloadable ? "yes" : "restart");
    out += " | " + x.help + " |\n";
  }
  return out;
}

/// The document with a fresh table between each `<!-- settings: section -->` and `<!-- end -->`.
std::string with_tables(const std::string& document, std::set<std::string>& sections) {
  const std::string begin = "<!-- settings: ";
  const std::string end = "<!-- end -->";
  std::map<std::string, std::vector<setting_description>> arrays{
    {"topic", describe(topic_rule{*topic_pattern::parse("**")})},
    {"auth.key", describe(auth_key{})},
    {"profile", describe(profile_rule{})},
    {"schema", describe(schema_rule{})},
    {"auth.api-key", describe(auth_api_key{})}};
  arrays["topic"][0].value.clear();    // a pattern has no default
  arrays["auth.key"][1].value.clear(); // nor has an algorithm
  arrays["profile"][0].value.clear();  // nor a profile a kind
  std::istringstream in{document};
  std::string out;
  auto skipping = false;
  for (std::string line; std::getline(in, line);) {
    if (line == end)
      skipping = false;
    if (!skipping)
      out += line + '\n';
    if (!line.starts_with(begin))
      continue;
    skipping = true;
    auto section = line.substr(begin.size(), line.find(' ', begin.size()) - begin.size());
    sections.insert(section);
    auto array = arrays.find(section);
    out +=
      array == arrays.end() ? table(describe(config{}), section + '.') : table(array->second, "");
  }
  return out;
}

CAF_TEST(the reference shows every setting) {
  std::set<std::string> shown;
  check_document("docs/configuration.md", with_tables(read("docs/configuration.md"), shown));
  std::set<std::string> sections{"topic", "auth.key", "auth.api-key", "profile", "schema"};
  for (auto& x : describe(config{}))
    sections.insert(x.key.substr(0, x.key.find('.')));
  CAF_CHECK_EQUAL(shown, sections);
}

CAF_TEST(the sample shows every setting) {
  check_document("packaging/tidings.toml", sample_config());
}

CAF_TEST(the sample loads as it is) {
  auto x = load_config({.file = path_of("packaging/tidings.toml")});
  CAF_REQUIRE(x);
  CAF_CHECK(x->topic.empty());
  CAF_CHECK(!has_sign_in(x->auth));
}

CAF_TEST(the sample loads with everything switched on) {
  std::istringstream in{sample_config()};
  std::string all;
  size_t longest = 0;
  for (std::string line; std::getline(in, line);) {
    longest = std::max(longest, line.size());
    auto setting = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    all += line.substr(setting ? 1 : 0) + '\n';
  }
  CAF_CHECK_LESS_OR_EQUAL(longest, 110u);
  scratch_file file{all};
  auto x = load_config({.file = file.path()});
  if (!x)
    CAF_FAIL(x.error().detail);
  auto shown = describe(*x);
  auto defaults = describe(config{});
  for (size_t i = 0; i < shown.size(); ++i) {
    CAF_CHECK_EQUAL(shown[i].value, defaults[i].value);
    auto name = shown[i].key.substr(shown[i].key.find('.') + 1);
    CAF_CHECK_NOT_EQUAL(all.find('\n' + name + " = "), std::string::npos);
  }
  CAF_CHECK_EQUAL(x->topic.size(), 2u);
  CAF_CHECK_EQUAL(x->profile.size(), 1u);
  CAF_CHECK_EQUAL(x->schema.size(), 1u);
  CAF_CHECK_EQUAL(x->auth.keys.size(), 1u);
  CAF_CHECK_EQUAL(x->auth.api_keys.size(), 1u);
}

} // namespace
