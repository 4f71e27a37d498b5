#include "http/request.hpp"

#include "http/body.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>

namespace tidings::http {

namespace {

/// Extensions of chunks mean nothing to us; long ones are a way to make us read much for little.
constexpr size_t chunk_extension_bytes_max = 256;

void check_chunk_head(uint64_t, boost::beast::string_view extension, boost::beast::error_code& ec) {
  if (extension.size() > chunk_extension_bytes_max)
    ec = bhttp::error::bad_chunk_extension;
}

} // namespace

struct request_reader::implementation {
  bhttp::request_parser<growing_body> parser;
  bhttp::fields head; // a copy: trailers must not get into what handlers see
  std::string target;
  request content;
};

request_reader::request_reader() : impl_(std::make_unique<implementation>()) {
  impl_->parser.header_limit(std::numeric_limits<uint32_t>::max()); // checked before
  impl_->parser.body_limit(boost::none);                            // checked by the session
  impl_->parser.eager(true);
  impl_->parser.on_chunk_header(check_chunk_head);
}

request_reader::~request_reader() = default;

status request_reader::read_head(std::string_view head) {
  auto& parser = impl_->parser;
  boost::beast::error_code ec;
  parser.put(boost::asio::buffer(head.data(), head.size()), ec);
  if (ec && ec != bhttp::error::need_more)
    return failure{errc::invalid_request, "the request is not well-formed HTTP: " + ec.message()};
  if (!parser.is_header_done())
    return failure{errc::invalid_request, "the request head is incomplete"};
  auto& message = parser.get();
  impl_->head = message.base();
  impl_->target.assign(message.target().data(), message.target().size());
  auto& x = impl_->content;
  x.method = message.method();
  x.http11 = message.version() >= 11;
  x.fields = &impl_->head;
  auto target = parse_target(impl_->target);
  if (!target)
    return target.error();
  x.raw_path = target->path;
  x.query = std::move(target->query);
  return std::nullopt;
}

result<size_t> request_reader::read_body(std::string_view bytes) {
  boost::beast::error_code ec;
  auto n = impl_->parser.put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
  if (ec && ec != bhttp::error::need_more)
    return failure{errc::invalid_request, "the request body is not well-formed: " + ec.message()};
  return n;
}

bool request_reader::done() const {
  return impl_->parser.is_done();
}

uint64_t request_reader::content_length() const {
  auto n = impl_->parser.content_length();
  return n ? *n : 0;
}

bool request_reader::keep_alive() const {
  return impl_->parser.keep_alive();
}

bool request_reader::expects_continue() const {
  auto i = impl_->head.find(bhttp::field::expect);
  return i != impl_->head.end() && boost::beast::iequals(i->value(), "100-continue");
}

std::string request_reader::take_body() {
  return std::exchange(impl_->parser.get().body(), {});
}

size_t request_reader::body_bytes() const {
  return impl_->parser.get().body().size();
}

request& request_reader::content() noexcept {
  return impl_->content;
}

} // namespace tidings::http
