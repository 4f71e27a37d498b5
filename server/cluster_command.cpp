#include "server/commands.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <string>

namespace tidings {

namespace {

using nlohmann::json;

std::string text_of(const json& x, const char* key) {
  auto i = x.find(key);
  if (i == x.end() || i->is_null())
    return "-";
  return i->is_string() ? i->get<std::string>() : i->dump();
}

std::string state_of(const json& member) {
  if (member.value("self", false))
    return "this node";
  if (!member.value("linked", false))
    return "NOT LINKED";
  return member.value("silent", false) ? "silent" : "linked";
}

bool print(const json& x) {
  auto good = x.value("joined", false) && x.value("quorum", false);
  std::cout << "cluster " << text_of(x, "name") << ": "
            << (x.value("joined", false) ? "joined" : "joining") << ", "
            << (x.value("quorum", false) ? "a majority is linked" : "NO MAJORITY is linked")
            << "\n\n";
  std::cout << std::left << std::setw(16) << "member" << std::setw(24) << "address" << std::setw(12)
            << "state" << std::setw(10) << "lag"
            << "since\n";
  for (auto& member : x.at("members")) {
    auto state = state_of(member);
    good = good && (state == "this node" || state == "linked");
    std::cout << std::setw(16) << text_of(member, "name") << std::setw(24)
              << text_of(member, "address") << std::setw(12) << state << std::setw(10)
              << text_of(member, "lag") << text_of(member, "since");
    if (member.contains("trouble"))
      std::cout << "  " << text_of(member, "trouble");
    std::cout << '\n';
  }
  for (auto& alarm : x.at("alarms")) {
    good = false;
    std::cout << "\nALARM " << text_of(alarm, "kind") << " at " << text_of(alarm, "time") << ": "
              << text_of(alarm, "detail") << '\n';
  }
  return good;
}

} // namespace

int show_cluster(const std::string& url, const std::string& token) {
  auto answer = fetch(url, "/cluster", token);
  if (!answer) {
    std::cerr << "tidings: " << answer.error().detail << '\n';
    return 1;
  }
  auto page = json::parse(answer->body, nullptr, false);
  if (answer->status != 200 || !page.is_object()) {
    auto why = page.is_object() ? text_of(page, "detail") : "not an answer of Tidings";
    std::cerr << "tidings: " << url << " answers " << answer->status << ": " << why << '\n';
    return 1;
  }
  return print(page) ? 0 : 1;
}

} // namespace tidings
