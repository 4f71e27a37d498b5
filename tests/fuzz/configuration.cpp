// A configuration file of any content, and assignments of the command line, one per line. What is
// taken can be explained, and the explanation means the same.

#include "fuzz/fuzz.hpp"
#include "tidings/config_loader.hpp"
#include "tidings/text.hpp"

#include <sys/mman.h>
#include <unistd.h>

namespace {

// Each of them is compared with every key there is if there is no such key: more find nothing new
// and take the time of many runs.
constexpr size_t assignments_max = 3;

/// A file in memory: on a disk each run would wait for it.
class memory_file {
public:
  void write(std::string_view text) const {
    auto size = static_cast<ssize_t>(text.size());
    tidings::fuzz::require(ftruncate(number_, 0) == 0
                             && pwrite(number_, text.data(), text.size(), 0) == size,
                           "the file is written");
  }

  std::string path() const {
    return "/proc/self/fd/" + std::to_string(number_);
  }

private:
  int number_ = memfd_create("configuration", 0);
};

std::vector<std::string> values(const tidings::config& x) {
  std::vector<std::string> all;
  for (auto& setting : tidings::describe(x))
    if (setting.type != "secret")
      all.push_back(setting.key + '=' + setting.value);
  return all;
}

} // namespace

void tidings::fuzz::run(std::string_view input) {
  static const memory_file file;
  parts all{input};
  file.write(all.next());
  config_sources from;
  from.file = file.path();
  auto rest = all.rest();
  while (!rest.empty() && from.assignments.size() < assignments_max) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    from.assignments.emplace_back(line);
  }
  auto x = load_config(from);
  if (!x) {
    require(x.error().code == errc::invalid_configuration && !x.error().detail.empty(),
            "what is wrong is said");
    return;
  }
  auto text = explain_config(from);
  require(static_cast<bool>(text), "what is taken can be explained");
  file.write(*text);
  config_sources again;
  again.file = file.path();
  auto y = load_config(again);
  if (!y && !x->auth.keys.empty())
    return; // secrets are left out
  require(static_cast<bool>(y), "the explanation loads");
  require(values(*x) == values(*y), "the explanation means the same");
}
