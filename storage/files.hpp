#pragma once

#include "tidings/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tidings::storage {

// Small files beside the database that must survive a power cut at any moment.

/// The content of a file of at most 64 KiB, or nullopt if there is no such file.
result<std::optional<std::string>> read_small_file(const std::string& path);

/// Replaces the file atomically: after a crash it has the old content or the new one, and the new
/// one once this returns without failure.
status replace_file(const std::string& path, std::string_view content);

/// Makes created, renamed and removed entries of a directory durable.
status sync_directory(const std::string& path);

/// "cannot open X: No such file or directory"
failure file_failure(std::string_view what, const std::string& path, int error);

} // namespace tidings::storage
