#include "identity/key_ring.hpp"

#include "tidings/text.hpp"
#include "tidings/text_file.hpp"

namespace tidings {

key_ring::key_ring(std::vector<verification_key> keys) : keys_(std::move(keys)) {
  for (size_t i = 0; i < keys_.size(); ++i)
    by_id_[keys_[i].id()].push_back(i);
}

result<key_ring> key_ring::load(const std::vector<auth_key>& keys) {
  std::vector<verification_key> all;
  std::string problems;
  for (auto& x : keys) {
    auto complain = [&](const failure& why) {
      problems += (problems.empty() ? "" : "\n") + ("[[auth.key]] \"" + for_log(x.id) + "\": ")
                  + (x.file.empty() ? "its secret" : for_log(x.file)) + ' ' + why.detail;
    };
    auto content = x.file.empty() ? result<std::string>{x.secret} : read_text_file(x.file);
    if (!content) {
      complain(content.error());
      continue;
    }
    auto parsed = verification_key::parse(*content, x.algorithm, x.id, x.issuer);
    if (!parsed) {
      complain(parsed.error());
      continue;
    }
    all.insert(all.end(), parsed->begin(), parsed->end());
  }
  if (!problems.empty())
    return failure{errc::invalid_configuration, std::move(problems)};
  return key_ring{std::move(all)};
}

std::vector<const verification_key*> key_ring::candidates(const json_web_token& x) const {
  std::vector<const verification_key*> found;
  auto consider = [&](const verification_key& key) {
    if (key.algorithm() == x.algorithm)
      found.push_back(&key);
  };
  if (!x.key_id) {
    for (auto& key : keys_)
      consider(key);
    return found;
  }
  auto named = by_id_.find(*x.key_id);
  if (named != by_id_.end())
    for (auto i : named->second)
      consider(keys_[i]);
  return found;
}

} // namespace tidings
