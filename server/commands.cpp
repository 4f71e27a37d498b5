#include "server/commands.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <iostream>

namespace tidings {

namespace {

namespace net = boost::asio;
namespace beast = boost::beast;

constexpr auto patience = std::chrono::seconds{5};

template <class Stream>
http_answer send(Stream& stream, const std::string& host, const http_question& x) {
  beast::http::request<beast::http::string_body> request{beast::http::string_to_verb(x.method),
                                                         x.path, 11, x.body};
  request.set(beast::http::field::host, host);
  request.set(beast::http::field::connection, "close");
  if (!x.token.empty())
    request.set(beast::http::field::authorization, "Bearer " + x.token);
  if (!x.body.empty())
    request.set(beast::http::field::content_type, "application/json");
  request.prepare_payload();
  beast::http::write(stream, request);
  beast::flat_buffer buffer;
  beast::http::response<beast::http::string_body> answer;
  beast::http::read(stream, buffer, answer);
  return {answer.result_int(), answer.body()};
}

} // namespace

result<http_answer> ask(const http_question& x) {
  auto& url = x.url;
  auto secure = url.starts_with("https://");
  auto rest =
    url.substr(std::min(url.size(), url.find("://") == url.npos ? 0 : url.find("://") + 3));
  rest = rest.substr(0, rest.find('/'));
  auto colon = rest.rfind(':');
  auto host = rest.substr(0, colon);
  auto port = colon == rest.npos ? std::string{secure ? "443" : "80"} : rest.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[')
    host = host.substr(1, host.size() - 2);
  try {
    net::io_context context;
    net::ip::tcp::resolver resolver{context};
    beast::tcp_stream stream{context};
    stream.expires_after(patience);
    stream.connect(resolver.resolve(host, port));
    if (!secure)
      return send(stream, rest, x);
    // Health is asked of one's own broker: reachability counts, not who signed its certificate.
    net::ssl::context tls{net::ssl::context::tls_client};
    beast::ssl_stream<beast::tcp_stream&> encrypted{stream, tls};
    encrypted.handshake(net::ssl::stream_base::client);
    return send(encrypted, rest, x);
  } catch (const std::exception& why) {
    return failure{errc::internal_error, url + " does not answer: " + why.what()};
  }
}

int check_health(const std::string& url) {
  auto answer = ask({.url = url, .path = "/readyz"});
  if (!answer) {
    std::cerr << "tidings: " << answer.error().detail << '\n';
    return 1;
  }
  std::cout << answer->body << '\n';
  return answer->status == 200 ? 0 : 1;
}

} // namespace tidings
