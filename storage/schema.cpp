#include "storage/schema.hpp"

#include <algorithm>
#include <string>

namespace tidings::storage {

namespace {

const migration* find(const schema& known, uint32_t from) {
  auto i = std::find_if(known.migrations.begin(), known.migrations.end(),
                        [from](const migration& x) { return x.from == from; });
  return i == known.migrations.end() ? nullptr : &*i;
}

} // namespace

const schema& current_schema() {
  static const schema instance{
    schema_version,
    {
      // Records with mail and entries of mailboxes: there were none, so nothing is to be rewritten.
      {1, [](database&) -> status { return std::nullopt; }},
      // Entries say whose they are. What there is belongs to this node, and stays as it is.
      {2, [](database&) -> status { return std::nullopt; }},
    }};
  return instance;
}

status check_schema(uint32_t stored, const schema& known) {
  if (stored > known.version)
    return failure{errc::storage_unavailable,
                   "the store has schema " + std::to_string(stored)
                     + ", which a newer version of Tidings made; this one reads up to "
                     + std::to_string(known.version) + ". Nothing has been changed"};
  for (auto from = stored; from < known.version; ++from)
    if (!find(known, from))
      return failure{
        errc::storage_unavailable,
        "the store has schema " + std::to_string(stored)
          + ", from which this version cannot upgrade; upgrade to a version in between "
            "first. Nothing has been changed"};
  return std::nullopt;
}

status migrate(uint32_t stored, const schema& known, database& db,
               const std::function<status(uint32_t)>& store) {
  for (auto from = stored; from < known.version; ++from) {
    if (auto failed = find(known, from)->run(db))
      return failed;
    if (auto failed = store(from + 1))
      return failed;
  }
  return std::nullopt;
}

} // namespace tidings::storage
