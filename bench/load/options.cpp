#include "options.hpp"

#include <cstdio>
#include <cstdlib>

namespace bench {

void fail(const std::string& what) {
  std::fprintf(stderr, "tidings-bench-load: %s\n", what.c_str());
  std::exit(2);
}

options::options(int argc, char** argv) {
  if (argc < 2)
    return;
  mode_ = argv[1];
  for (int i = 2; i < argc; ++i) {
    std::string name = argv[i];
    if (!name.starts_with("--"))
      fail("not an option: " + name);
    name.erase(0, 2);
    std::string value;
    if (auto at = name.find('='); at != std::string::npos) {
      value = name.substr(at + 1);
      name.resize(at);
    } else if (i + 1 < argc) {
      value = argv[++i];
    } else {
      fail("--" + name + " needs a value");
    }
    given_[name] = {value, false};
  }
}

options::given* options::find(std::string_view name) {
  auto found = given_.find(name);
  if (found == given_.end())
    return nullptr;
  found->second.used = true;
  return &found->second;
}

std::string options::text(std::string_view name, std::string_view otherwise) {
  auto* x = find(name);
  return x ? x->value : std::string{otherwise};
}

uint64_t options::number(std::string_view name, uint64_t otherwise) {
  auto* x = find(name);
  if (!x)
    return otherwise;
  char* end = nullptr;
  auto value = std::strtoull(x->value.c_str(), &end, 10);
  if (x->value.empty() || *end != '\0')
    fail("--" + std::string{name} + " is not a number: " + x->value);
  return value;
}

double options::real(std::string_view name, double otherwise) {
  auto* x = find(name);
  if (!x)
    return otherwise;
  char* end = nullptr;
  auto value = std::strtod(x->value.c_str(), &end);
  if (x->value.empty() || *end != '\0')
    fail("--" + std::string{name} + " is not a number: " + x->value);
  return value;
}

std::vector<std::string> options::list(std::string_view name) {
  std::vector<std::string> result;
  auto all = text(name, "");
  for (size_t begin = 0; begin < all.size();) {
    auto end = std::min(all.find(',', begin), all.size());
    result.push_back(all.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

std::vector<pid_t> options::pids(std::string_view name) {
  std::vector<pid_t> result;
  for (const auto& x : list(name))
    result.push_back(static_cast<pid_t>(std::atoi(x.c_str())));
  return result;
}

std::vector<uint16_t> options::ports(std::string_view name) {
  std::vector<uint16_t> result;
  for (const auto& x : list(name))
    result.push_back(static_cast<uint16_t>(std::atoi(x.c_str())));
  return result;
}

void options::refuse_unknown() const {
  for (const auto& [name, x] : given_)
    if (!x.used)
      fail("--" + name + " means nothing to mode " + mode_);
}

} // namespace bench
