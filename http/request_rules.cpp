#include "http/request_rules.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace tidings::http {

namespace {

// -- characters ----------------------------------------------------------------------------------

constexpr uint8_t token_char = 1;  // RFC 9110 tchar, without `_`: some servers read it as `-`
constexpr uint8_t target_char = 2; // visible ASCII without `#`
constexpr uint8_t value_char = 4;  // visible, obs-text, space, tab
constexpr uint8_t host_char = 8;   // reg-name, IP literals and their port

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> xs{};
  for (int c = 0; c < 256; ++c) {
    auto letter_or_digit =
      (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    uint8_t x = 0;
    if (letter_or_digit
        || (c != 0
            && std::string_view{"!#$%&'*+-.^`|~"}.find(static_cast<char>(c))
                 != std::string_view::npos))
      x |= token_char;
    if (c > 0x20 && c < 0x7f && c != '#')
      x |= target_char;
    if (c == '\t' || (c >= 0x20 && c != 0x7f))
      x |= value_char;
    if (letter_or_digit
        || (c != 0
            && std::string_view{"-._~%!$&'()*+;=:[]"}.find(static_cast<char>(c))
                 != std::string_view::npos))
      x |= host_char;
    xs[static_cast<size_t>(c)] = x;
  }
  return xs;
}

constexpr auto classes = make_classes();

bool is(uint8_t what, char c) noexcept {
  return (classes[static_cast<uint8_t>(c)] & what) != 0;
}

/// Case-insensitive; `lower` is in lower case and consists of letters and `-`.
bool equals(std::string_view x, std::string_view lower) noexcept {
  if (x.size() != lower.size())
    return false;
  for (size_t i = 0; i < x.size(); ++i)
    if ((x[i] | 0x20) != lower[i])
      return false;
  return true;
}

// -- fields that decide about framing and routing ------------------------------------------------

struct verdict {
  const char* detail = nullptr; // nullptr: fine
  unsigned status = 400;
  errc code = errc::invalid_request;
};

constexpr verdict fine{};

bool is_digits(std::string_view x) noexcept {
  return std::all_of(x.begin(), x.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// uri-host [ ":" port ]
bool is_host(std::string_view x) noexcept {
  if (x.empty() || x.size() > 255 + 6)
    return false;
  for (auto c : x)
    if (!is(host_char, c))
      return false;
  size_t port = 0;
  if (x.front() == '[') {
    auto end = x.find(']');
    if (end == std::string_view::npos || end < 3)
      return false;
    for (auto c : x.substr(1, end - 1))
      if (c == '[' || !(c == ':' || c == '.' || is(token_char, c)))
        return false;
    if (end + 1 == x.size())
      return true;
    if (x[end + 1] != ':')
      return false;
    port = end + 2;
  } else {
    if (x.find_first_of("[]") != std::string_view::npos)
      return false;
    auto colon = x.find(':');
    if (colon == 0)
      return false;
    if (colon == std::string_view::npos)
      return true;
    port = colon + 1;
  }
  auto digits = x.substr(port);
  return digits.size() <= 5 && is_digits(digits);
}

/// The fields that may be there once only, because two of them would be read in two ways.
enum single_field : uint16_t {
  host_field = 1,
  length_field = 2,
  coding_field = 4,
  type_field = 8,
  authorization_field = 16,
  origin_field = 32,
  expect_field = 64,
  last_id_field = 128,
  key_field = 256,
};

uint16_t single_of(std::string_view name) noexcept {
  switch (name.size()) {
    case 4:
      return equals(name, "host") ? host_field : 0;
    case 6:
      return equals(name, "origin") ? origin_field : equals(name, "expect") ? expect_field : 0;
    case 12:
      return equals(name, "content-type") ? type_field : 0;
    case 13:
      return equals(name, "authorization")   ? authorization_field
             : equals(name, "last-event-id") ? last_id_field
                                             : 0;
    case 14:
      return equals(name, "content-length") ? length_field : 0;
    case 15:
      return equals(name, "idempotency-key") ? key_field : 0;
    case 17:
      return equals(name, "transfer-encoding") ? coding_field : 0;
    default:
      return 0;
  }
}

// -- the head ------------------------------------------------------------------------------------

class head_check {
public:
  head_check(std::string_view head, const limits_config& limits)
    : at_(head.data()), end_(head.data() + head.size()), limits_(limits) {
    // nop
  }

  verdict run() {
    if (auto bad = check_request_line(); bad.detail)
      return bad;
    uint32_t fields = 0;
    while (*at_ != '\r') { // the head ends with an empty line, so there is always one
      if (++fields > limits_.header_fields)
        return {"there are too many header fields", 431, errc::header_too_large};
      if (auto bad = check_field(); bad.detail)
        return bad;
    }
    if (at_ + 2 != end_ || at_[1] != '\n')
      return {"a carriage return is not followed by a line feed"};
    return check_together();
  }

private:
  verdict check_request_line() {
    auto method = at_;
    while (is(token_char, *at_))
      ++at_;
    if (at_ == method || *at_ != ' ' || at_ - method > 32)
      return {"the request does not begin with a method"};
    method_ = {method, static_cast<size_t>(at_ - method)};
    auto target = ++at_;
    while (is(target_char, *at_))
      ++at_;
    if (*at_ != ' ')
      return {"the request target holds something other than visible ASCII, or a fragment"};
    target_ = {target, static_cast<size_t>(at_ - target)};
    ++at_;
    if (static_cast<size_t>(end_ - at_) < 12)
      return {"the request line has no version"};
    if (std::memcmp(at_, "HTTP/1.1\r\n", 10) == 0)
      http11_ = true;
    else if (std::memcmp(at_, "HTTP/1.0\r\n", 10) != 0)
      return {"the version must be HTTP/1.1 or HTTP/1.0", 505};
    at_ += 10;
    if (target_.empty())
      return {"the request target is empty"};
    if (target_.front() == '/' || (target_ == "*" && method_ == "OPTIONS"))
      return fine;
    return check_absolute();
  }

  /// Proxies send `http://host/path`.
  verdict check_absolute() {
    auto scheme = target_.substr(0, target_.find(':'));
    if (!equals(scheme, "http") && !equals(scheme, "https"))
      return {"the request target must begin with a slash"};
    auto rest = target_.substr(scheme.size());
    if (rest.substr(0, 3) != "://")
      return {"the request target must begin with a slash"};
    authority_ = rest.substr(3, rest.find_first_of("/?", 3) - 3);
    if (!is_host(authority_))
      return {"the request target names no valid host"};
    return fine;
  }

  verdict check_field() {
    auto name = at_;
    while (is(token_char, *at_))
      ++at_;
    if (*at_ != ':' || at_ == name) {
      if (at_ == name && (*at_ == ' ' || *at_ == '\t'))
        return {"a header field is folded over two lines"};
      return {"the name of a header field holds a character that is not allowed"};
    }
    auto name_size = static_cast<size_t>(at_ - name);
    ++at_;
    while (*at_ == ' ' || *at_ == '\t')
      ++at_;
    auto value = at_;
    skip_value();
    if (at_[0] != '\r' || at_[1] != '\n')
      return {"a header field holds a control character or does not end with CR LF"};
    auto value_end = at_;
    while (value_end != value && (value_end[-1] == ' ' || value_end[-1] == '\t'))
      --value_end;
    at_ += 2;
    return check_single({name, name_size}, {value, static_cast<size_t>(value_end - value)});
  }

  /// Up to the first character that a value cannot hold, eight at a time while none is in sight.
  void skip_value() noexcept {
    constexpr uint64_t ones = 0x0101010101010101;
    constexpr uint64_t highs = 0x8080808080808080;
    for (; end_ - at_ >= 8; at_ += 8) {
      uint64_t x;
      std::memcpy(&x, at_, sizeof x);
      auto control = (x - ones * 0x20) & ~x & highs;
      auto del = x ^ (ones * 0x7f);
      if ((control | ((del - ones) & ~del & highs)) != 0)
        break;
    }
    while (is(value_char, *at_))
      ++at_;
  }

  verdict check_single(std::string_view name, std::string_view value) {
    auto which = single_of(name);
    if (which == 0) {
      if (name.size() == 16 && equals(name, "content-encoding") && !equals(value, "identity"))
        return {"compressed bodies are not supported", 415, errc::unsupported_media_type};
      return fine;
    }
    if ((seen_ & which) != 0)
      return {"a header field that may be there once is repeated"};
    seen_ |= which;
    switch (which) {
      case host_field:
        host_ = value;
        if (!is_host(value))
          return {"Host is not valid"};
        return fine;
      case length_field:
        if (value.empty() || value.size() > 15 || !is_digits(value))
          return {"Content-Length must be a number of 1 to 15 digits"};
        has_body_ = value.find_first_not_of('0') != std::string_view::npos;
        return fine;
      case coding_field:
        if (!equals(value, "chunked"))
          return {"the only Transfer-Encoding that is supported is chunked", 501,
                  errc::not_implemented};
        return fine;
      case expect_field:
        if (!equals(value, "100-continue"))
          return {"the only Expect that is supported is 100-continue", 417};
        return fine;
      default:
        return fine;
    }
  }

  verdict check_together() const {
    if ((seen_ & host_field) == 0 && http11_)
      return {"Host is missing"};
    if (!authority_.empty() && (seen_ & host_field) != 0 && !same_host())
      return {"Host and the request target name different hosts"};
    if ((seen_ & coding_field) != 0) {
      if ((seen_ & length_field) != 0)
        return {"Content-Length and Transfer-Encoding exclude each other"};
      if (!http11_)
        return {"Transfer-Encoding needs HTTP/1.1"};
    }
    auto carries = has_body_ || (seen_ & coding_field) != 0;
    if (carries && method_ != "POST" && method_ != "PUT" && method_ != "PATCH")
      return {"a request with this method cannot have a body"};
    return fine;
  }

  bool same_host() const noexcept {
    return std::equal(
      authority_.begin(), authority_.end(), host_.begin(), host_.end(), [](char x, char y) {
        auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
        return lower(x) == lower(y);
      });
  }

  const char* at_;
  const char* end_;
  const limits_config& limits_;
  std::string_view method_;
  std::string_view target_;
  std::string_view authority_; // of a target in absolute form
  std::string_view host_;
  uint16_t seen_ = 0;
  bool http11_ = false;
  bool has_body_ = false;
};

request_violation to_violation(const verdict& x) {
  return {x.status, x.code, x.detail};
}

} // namespace

std::optional<size_t> find_head_end(std::string_view bytes, size_t already_seen) noexcept {
  // The mark is CR LF CR LF; its first line feed may have been seen already.
  auto from = already_seen < 3 ? 1 : already_seen - 2;
  while (from + 2 < bytes.size()) {
    auto hit =
      static_cast<const char*>(std::memchr(bytes.data() + from, '\n', bytes.size() - 2 - from));
    if (!hit)
      return std::nullopt;
    if (hit[-1] == '\r' && hit[1] == '\r' && hit[2] == '\n')
      return static_cast<size_t>(hit - bytes.data()) + 3;
    from = static_cast<size_t>(hit - bytes.data()) + 1;
  }
  return std::nullopt;
}

std::optional<request_violation> check_partial_head(std::string_view bytes,
                                                    const limits_config& limits) {
  auto line_end = bytes.find('\n');
  if (bytes.size() > limits.header_bytes) {
    if (line_end == std::string_view::npos)
      return request_violation{414, errc::uri_too_long, "the request line is too long"};
    return request_violation{431, errc::header_too_large, "the request head is too long"};
  }
  // Names another protocol for what it is, instead of waiting for its end.
  for (auto c : bytes.substr(0, 8)) {
    if (c == ' ')
      break;
    if (!is(token_char, c))
      return to_violation({"this is not HTTP/1.1"});
  }
  if (line_end != std::string_view::npos && (line_end == 0 || bytes[line_end - 1] != '\r'))
    return to_violation({"a line does not end with CR LF"});
  return std::nullopt;
}

std::optional<request_violation> check_request_head(std::string_view head,
                                                    const limits_config& limits) {
  if (head.size() > limits.header_bytes)
    return request_violation{431, errc::header_too_large, "the request head is too long"};
  // The scan has no bounds checks: it stops at the first byte that does not fit, and the last four
  // bytes fit nowhere else.
  if (head.size() < 4 || head.substr(head.size() - 4) != "\r\n\r\n")
    return to_violation({"the request head does not end with an empty line"});
  auto result = head_check{head, limits}.run();
  if (!result.detail)
    return std::nullopt;
  return to_violation(result);
}

} // namespace tidings::http
