#include "simulator/simulation.hpp"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

using namespace tidings::simulator;

namespace {

constexpr auto usage = R"(Usage: tidings-simulator [--seeds FROM COUNT] [--bug NAME] [--verbose]
  --seeds FROM COUNT  the runs; FROM is TIDINGS_SEED, or else 1, and COUNT 1000 if not given
  --bug NAME          switches a mistake on; succeeds if a run finds it
  --verbose           every run on its own line, and what happened in the last one
)";

struct options {
  uint64_t from = 1;
  uint64_t count = 1000;
  bug which = bug::none;
  bool verbose = false;
};

[[noreturn]] void refuse(const std::string& why) {
  std::cerr << "tidings-simulator: " << why << "\n" << usage << "Bugs:";
  for (auto& x : bug_names)
    std::cerr << " " << x.name;
  std::cerr << "\n";
  std::exit(2);
}

uint64_t number(const char* text) {
  char* end = nullptr;
  auto result = text ? std::strtoull(text, &end, 10) : 0;
  if (!text || end == text || *end != '\0')
    refuse("a number is missing");
  return result;
}

options parse(char** argument) {
  options result;
  if (auto seed = std::getenv("TIDINGS_SEED"))
    result.from = number(seed);
  while (*++argument) {
    auto name = std::string_view(*argument);
    if (name == "--seeds") {
      result.from = number(*++argument);
      result.count = number(*++argument);
    } else if (name == "--bug") {
      auto which = *++argument ? find_bug(*argument) : std::nullopt;
      if (!which)
        refuse("no such bug");
      result.which = *which;
    } else if (name == "--verbose") {
      result.verbose = true;
    } else {
      refuse("what is " + std::string(name) + "?");
    }
  }
  return result;
}

void add(simulation::counts& to, const simulation::counts& x) {
  to.published += x.published;
  to.quorum_acknowledged += x.quorum_acknowledged;
  to.copies += x.copies;
  to.starts += x.starts;
  to.rollbacks += x.rollbacks;
  to.cuts += x.cuts;
  to.forgotten += x.forgotten;
  to.refused += x.refused;
  to.late_tails += x.late_tails;
}

void print_trace(uint64_t seed, bug which) {
  simulation again(seed, which, true);
  again.run();
  for (auto& line : again.trace())
    std::cout << line << "\n";
}

} // namespace

int main(int, char** arguments) {
  auto wanted = parse(arguments);
  auto begin = std::chrono::steady_clock::now();
  uint64_t steps = 0;
  uint64_t violations = 0;
  uint64_t done = 0;
  simulation::counts all;
  for (; done < wanted.count && violations == 0; ++done) {
    auto seed = wanted.from + done;
    simulation x(seed, wanted.which, false);
    x.run();
    steps += x.steps();
    add(all, x.counted());
    if (wanted.verbose)
      std::cout << "seed " << seed << ": " << x.steps() << " steps " << x.violation() << "\n";
    if (x.violation().empty())
      continue;
    ++violations;
    if (wanted.which == bug::none || wanted.verbose)
      print_trace(seed, wanted.which);
    std::cout << "seed " << seed << " violates " << x.violation() << "\n";
  }
  auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::cout << "seeds " << wanted.from << " to " << wanted.from + done - 1 << ": " << steps
            << " steps, " << violations << " violations, "
            << static_cast<uint64_t>(static_cast<double>(done) / seconds) << " seeds/s\n"
            << "published " << all.published << ", acknowledged at quorum "
            << all.quorum_acknowledged << ", starts " << all.starts << ", cuts " << all.cuts
            << ", rollbacks " << all.rollbacks << ", late tails " << all.late_tails
            << ", published again " << all.copies << ", refused " << all.refused << ", forgotten "
            << all.forgotten << "\n";
  auto expected = wanted.which == bug::none ? 0U : 1U;
  return violations == expected ? 0 : 1;
}
