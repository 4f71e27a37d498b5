#include "storage/identity_file.hpp"

#include "storage/field_text.hpp"
#include "storage/files.hpp"
#include "storage/schema.hpp"

#include <cerrno>
#include <sys/random.h>

namespace tidings::storage {

namespace {

constexpr std::string_view title = "tidings store";

std::string path_in(const std::string& directory) {
  return directory + "/tidings.store";
}

std::optional<node_id> parse_node(std::string_view hex) {
  node_id x;
  if (hex.size() != 2 * x.bytes.size())
    return std::nullopt;
  for (size_t i = 0; i < hex.size(); ++i) {
    auto digit = std::string_view{"0123456789abcdef"}.find(hex[i]);
    if (digit == std::string_view::npos)
      return std::nullopt;
    auto& byte = x.bytes[i / 2];
    byte = static_cast<uint8_t>((byte << 4) | digit);
  }
  return x;
}

} // namespace

std::string to_text(const identity& x) {
  field_writer out{title};
  out.add("schema", x.schema); // first: what follows may differ between schemas
  out.add("node", to_string(x.node));
  out.add("complete", x.complete ? 1 : 0);
  return std::move(out).finish();
}

std::optional<identity> parse_identity(std::string_view text) {
  field_reader in{title, text};
  identity x;
  x.schema = static_cast<uint32_t>(in.number("schema"));
  if (in.ok() && x.schema > schema_version)
    return x; // for the caller to refuse; the other lines may mean anything
  auto node = parse_node(in.text("node"));
  x.complete = in.number("complete") != 0;
  if (!in.done() || !node)
    return std::nullopt;
  x.node = *node;
  return x;
}

result<std::optional<identity>> load_identity(const std::string& directory) {
  auto text = read_small_file(path_in(directory));
  if (!text)
    return text.error();
  if (!*text)
    return std::optional<identity>{};
  auto x = parse_identity(**text);
  if (!x)
    return failure{errc::storage_corrupt,
                   path_in(directory) + " is damaged; put it back from a backup of the store"};
  return x;
}

status save_identity(const std::string& directory, const identity& x) {
  return replace_file(path_in(directory), to_text(x));
}

result<node_id> make_node_id() {
  node_id x;
  if (::getrandom(x.bytes.data(), x.bytes.size(), 0) != static_cast<ssize_t>(x.bytes.size()))
    return file_failure("cannot read", "random numbers", errno);
  return x;
}

} // namespace tidings::storage
