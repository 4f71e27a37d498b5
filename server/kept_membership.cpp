#include "server/kept_membership.hpp"

#include "storage/files.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>

namespace tidings {

namespace {

std::string path_in(const std::string& directory) {
  return (std::filesystem::path{directory} / "members.json").string();
}

} // namespace

result<membership> load_membership(const config& x) {
  auto configured = configured_membership(x.cluster);
  auto path = path_in(x.storage.directory);
  auto text = storage::read_small_file(path);
  if (!text)
    return text.error();
  if (!*text)
    return configured;
  auto kept = parse_membership(**text);
  if (!kept)
    return failure{errc::invalid_configuration,
                   path + " is damaged: take it from the data directory of another member"};
  if (!kept->find(x.cluster.node))
    return failure{errc::invalid_configuration,
                   "member " + x.cluster.node
                     + " was removed from the cluster by command: add it again at another member "
                       "and remove "
                     + path + ", or start it alone, without [cluster]"};
  if (kept->members != configured.members)
    spdlog::warn("cluster.members is not what counts: a command has changed the list version={}",
                 kept->version);
  return std::move(*kept);
}

status keep_membership(const std::string& directory, const membership& x) {
  return storage::replace_file(path_in(directory), to_text(x));
}

} // namespace tidings
