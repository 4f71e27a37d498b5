#include "storage/watermark_file.hpp"

#include "storage/field_text.hpp"
#include "storage/files.hpp"

namespace tidings::storage {

namespace {

constexpr std::string_view title = "tidings watermark 1";

std::string path_in(const std::string& directory) {
  return directory + "/tidings.watermark";
}

} // namespace

std::string to_text(const watermark& x) {
  field_writer out{title};
  out.add("position", to_integer(x.position));
  out.add("incarnation", x.origin.incarnation);
  out.add("sequence", x.origin.sequence);
  out.add("chain", x.chain);
  out.add("run", x.incarnation);
  out.add("wall-ms", static_cast<uint64_t>(x.wall_ms));
  return std::move(out).finish();
}

std::optional<watermark> parse_watermark(std::string_view text) {
  field_reader in{title, text};
  watermark x;
  x.position = lsn{in.number("position")};
  x.origin.incarnation = in.number("incarnation");
  x.origin.sequence = in.number("sequence");
  x.chain = in.number("chain");
  x.incarnation = in.number("run");
  x.wall_ms = static_cast<int64_t>(in.number("wall-ms"));
  if (!in.done())
    return std::nullopt;
  return x;
}

result<std::optional<watermark>> load_watermark(const std::string& directory) {
  auto text = read_small_file(path_in(directory));
  if (!text)
    return text.error();
  if (!*text)
    return std::optional<watermark>{};
  auto x = parse_watermark(**text);
  if (!x)
    return failure{errc::storage_corrupt,
                   path_in(directory)
                     + " is damaged, so it is unknown whether the log is whole; start once with "
                       "storage.recovery=salvage to go on with what the log holds"};
  return x;
}

status save_watermark(const std::string& directory, const watermark& x) {
  return replace_file(path_in(directory), to_text(x));
}

} // namespace tidings::storage
