#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidings {

/// Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong
/// forms).
bool is_utf8(std::string_view bytes) noexcept;

/// Whether well-formed UTF-8 text is safe as one line of a stream, a header or a log: no control
/// character (C0, DEL, C1) and no U+2028 or U+2029.
bool is_single_line(std::string_view utf8) noexcept;

/// RFC 4648 section 4, padded.
std::string to_base64(std::string_view bytes);

/// Strict: alphabet, padding and trailing bits must be exact. nullopt otherwise.
std::optional<std::string> from_base64(std::string_view text);

/// RFC 4648 section 5, unpadded.
void append_base64url(std::string& out, std::string_view bytes);

/// Strict, unpadded.
std::optional<std::string> from_base64url(std::string_view text);

/// Two lower-case digits for each byte.
std::string to_hex(std::string_view bytes);

/// Sixteen lower-case hexadecimal digits.
std::string to_hex(uint64_t x);

/// Digits in any case, two for each byte. nullopt otherwise.
std::optional<std::string> from_hex(std::string_view text);

/// The text as a JSON string with its quotes; `text` must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

/// For log lines: the text, cut at 200 bytes, with control characters and quotes escaped.
std::string for_log(std::string_view text);

} // namespace tidings
