#pragma once

#include "http/request.hpp"

#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace tidings::test {

/// A request together with what it refers to.
struct made_request {
  std::string target;
  http::bhttp::fields fields;
  http::request content;

  http::request& operator*() {
    return content;
  }
};

using field_list = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// A request as handlers see it. The target must be valid.
inline std::unique_ptr<made_request> make_request(std::string target, field_list fields = {},
                                                  std::string body = {}) {
  auto x = std::make_unique<made_request>();
  x->target = std::move(target);
  for (auto& [name, value] : fields)
    x->fields.insert(boost::beast::string_view{name.data(), name.size()},
                     boost::beast::string_view{value.data(), value.size()});
  auto parsed = http::parse_target(x->target);
  if (!parsed)
    throw std::invalid_argument{parsed.error().detail};
  x->content.raw_path = parsed->path;
  x->content.query = std::move(parsed->query);
  x->content.fields = &x->fields;
  x->content.body = std::move(body);
  return x;
}

} // namespace tidings::test
