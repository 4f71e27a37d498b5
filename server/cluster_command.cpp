#include "server/cluster_command.hpp"

#include "server/commands.hpp"
#include "tidings/config.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <optional>
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
            << (x.value("draining", false) ? "this node takes no new work, " : "")
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

std::string query_of(bool force) {
  return force ? "?force=true" : "";
}

/// The answer, if it is a good one; else says why not.
std::optional<json> page_for(const http_question& x) {
  auto answer = ask(x);
  if (!answer) {
    std::cerr << "tidings: " << answer.error().detail << '\n';
    return std::nullopt;
  }
  auto page = json::parse(answer->body, nullptr, false);
  if (answer->status == 200 && page.is_object())
    return page;
  auto why = page.is_object() ? text_of(page, "detail") : "not an answer of Tidings";
  std::cerr << "tidings: " << x.url << " answers " << answer->status << ": " << why << '\n';
  return std::nullopt;
}

std::string join(const json& xs) {
  std::string out;
  for (auto& x : xs)
    out += (out.empty() ? "" : ", ") + x.get<std::string>();
  return out;
}

int show_change(const std::optional<json>& x) {
  if (!x)
    return 1;
  std::cout << "members (version " << text_of(*x, "version") << "): " << join(x->at("members"))
            << '\n';
  if (!x->at("untold").empty())
    std::cout << "not told yet, hears of it when it is linked: " << join(x->at("untold")) << '\n';
  return 0;
}

} // namespace

cluster_command::cluster_command(CLI::App& under) {
  auto command = [&](const char* name, const char* what) {
    auto* x = under.add_subcommand(name, what);
    x->add_option("--token", token_, "to sign in with")->envname(token_variable);
    all_.push_back(x);
    return x;
  };
  status_ = command("status", "Show members, links and alarms; exit status 0 if all is well");
  add_ = command("add", "Add a member, before it is started; all others have to be linked");
  add_->add_option("member", member_, "NAME=HOST:PORT")->required();
  remove_ = command("remove", "Remove a member, when the others have everything that it has");
  remove_->add_option("member", member_, "its name")->required();
  for (auto* x : {add_, remove_})
    x->add_flag("--force", force_,
                "do not wait for members that are missing or behind; ask one node only");
  drain_ = command("drain", "Let the node at the URL take no new work, so that it can be stopped");
  drain_->add_flag("--undo", undo_, "let it take work again");
}

int cluster_command::run(const std::string& url) const {
  if (*status_)
    return status(url);
  if (*add_)
    return add(url);
  return *remove_ ? remove(url) : drain(url);
}

int cluster_command::status(const std::string& url) const {
  auto page = page_for({.url = url, .path = "/cluster", .token = token_});
  return page && print(*page) ? 0 : 1;
}

int cluster_command::add(const std::string& url) const {
  auto member = parse_member(member_);
  if (!member) {
    std::cerr << "tidings: a member is written like d=10.0.0.4:7400\n";
    return 2;
  }
  json body{{"name", member->name}, {"address", member->address}};
  auto done = show_change(page_for({.url = url,
                                    .path = "/cluster/members" + query_of(force_),
                                    .token = token_,
                                    .method = "POST",
                                    .body = body.dump()}));
  if (done == 0)
    std::cout << "now start it, with the same members in its configuration\n";
  return done;
}

int cluster_command::remove(const std::string& url) const {
  return show_change(page_for({.url = url,
                               .path = "/cluster/members/" + member_ + query_of(force_),
                               .token = token_,
                               .method = "DELETE"}));
}

int cluster_command::drain(const std::string& url) const {
  auto page = page_for(
    {.url = url, .path = "/cluster/drain", .token = token_, .method = undo_ ? "DELETE" : "POST"});
  if (!page)
    return 1;
  if (undo_) {
    std::cout << "takes work again\n";
    return 0;
  }
  auto& behind = page->at("behind");
  std::cout << (behind.empty()
                  ? "drained: all other members have everything that it has\n"
                  : "drained, but these do not have all that it has: " + join(behind) + '\n');
  return behind.empty() ? 0 : 1;
}

} // namespace tidings
