#pragma once

#include "actors/messages.hpp"
#include "http/target.hpp"
#include "tidings/config.hpp"
#include "tidings/result.hpp"

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/verb.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace tidings::http {

namespace bhttp = boost::beast::http;

/// A request as handlers see it.
struct request {
  bhttp::verb method = bhttp::verb::unknown;
  std::string_view raw_path; ///< as sent, without the query
  query_parameters query;
  const bhttp::fields* fields = nullptr;
  std::string body; ///< whole; empty for handlers that take it in pieces
  bool http11 = true;
  caller_ptr who; ///< who makes it; nullptr: anybody may do everything

  /// The value of a header field; empty if there is none.
  std::string_view field(bhttp::field name) const {
    auto i = fields->find(name);
    return i == fields->end() ? std::string_view{}
                              : std::string_view{i->value().data(), i->value().size()};
  }

  /// The values of all lines of a list-valued field, joined (RFC 9110, 5.3).
  std::string all_of(bhttp::field name, std::string_view separator = ", ") const {
    std::string out;
    auto [i, end] = fields->equal_range(name);
    for (; i != end; ++i) {
      if (!out.empty())
        out += separator;
      out.append(i->value().data(), i->value().size());
    }
    return out;
  }

  /// How many lines of this name there are.
  size_t count(std::string_view name) const {
    return fields->count(boost::beast::string_view{name.data(), name.size()});
  }

  std::string_view field(std::string_view name) const {
    auto i = fields->find(boost::beast::string_view{name.data(), name.size()});
    return i == fields->end() ? std::string_view{}
                              : std::string_view{i->value().data(), i->value().size()};
  }
};

/// Reads one request with Beast's parser, after its head has passed the request rules.
class request_reader {
public:
  request_reader();

  ~request_reader();

  /// Takes the whole head, through the empty line. Fails with errc::invalid_request.
  status read_head(std::string_view head);

  /// Takes body bytes; returns how many were used, or a failure. Stops at the end of the message.
  result<size_t> read_body(std::string_view bytes);

  bool done() const;

  /// The claimed length of the body; 0 if there is none or it is chunked.
  uint64_t content_length() const;

  bool keep_alive() const;

  /// Whether the client waits for leave to send the body.
  bool expects_continue() const;

  /// The body bytes read since the last call.
  std::string take_body();

  size_t body_bytes() const;

  /// Valid after `read_head`; refers to the reader.
  request& content() noexcept;

private:
  struct implementation;
  std::unique_ptr<implementation> impl_;
};

} // namespace tidings::http
