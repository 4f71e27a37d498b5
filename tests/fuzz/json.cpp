// Our reader of JSON against nlohmann's: what we take, it takes, and reads as the same value.

#include "fuzz/fuzz.hpp"
#include "http/json_scan.hpp"

#include <nlohmann/json.hpp>

void tidings::fuzz::run(std::string_view input) {
  auto ours = http::scan_value(input);
  if (!ours)
    return;
  auto theirs = nlohmann::json::parse(input, nullptr, false);
  require(!theirs.is_discarded(), "we take what is no JSON");
  std::string compact;
  ours->append_compact(compact);
  require(nlohmann::json::parse(compact, nullptr, false) == theirs, "blanks were all that went");
  require(compact.find_first_of("\r\n") == compact.npos, "one line");
  if (ours->kind == http::json_kind::string)
    require(ours->text() == theirs.get<std::string>(), "two texts");
}
