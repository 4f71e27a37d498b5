#include "http/handlers/streaming.hpp"

#include "http/cors.hpp"
#include "http/gate.hpp"
#include "http/network.hpp"
#include "http/problem.hpp"
#include "http/stream_sink.hpp"

namespace tidings::http {

namespace {

using places = std::vector<std::shared_ptr<stream_census::place>>;

/// Counts the stream for its user and its address.
result<places> take_places(session& s, const stream_opening& y) {
  auto& limits = s.local_shard().settings().limits;
  places taken;
  std::vector<uint64_t> replaced;
  auto enter = [&](const std::string& key, uint32_t max, bool replace) {
    auto admitted = s.broker().census->enter(key, max, replace);
    if (!admitted.taken)
      return false;
    taken.push_back(std::move(admitted.taken));
    replaced.insert(replaced.end(), admitted.replaced.begin(), admitted.replaced.end());
    return true;
  };
  auto too_many = [](const char* whose, uint32_t n) {
    return failure{errc::rate_limited,
                   whose + std::to_string(n) + " streams open already, which is the bound"};
  };
  auto& by = y.what.by;
  if (by && !by->user.empty() && y.streams_per_user != 0
      && !enter(y.counted_as + ' ' + by->user, y.streams_per_user, y.replace_oldest))
    return too_many("you have ", y.streams_per_user);
  auto address = "address " + network_of(s.address());
  if (limits.streams_per_address != 0
      && !enter(address, limits.streams_per_address, limits.replace_oldest))
    return too_many("your address has ", limits.streams_per_address);
  for (auto id : replaced) // only now: who is refused must not end another stream
    s.local_shard().others().close_connection(id, end_reason::replaced, [](bool) {});
  return taken;
}

std::string stream_header(session& s, const request& x, const stream_opening& y) {
  std::string out = x.http11 ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.0 200 OK\r\n";
  out += y.shape == representation::ndjson ? "Content-Type: application/x-ndjson\r\n"
                                           : "Content-Type: text/event-stream; charset=utf-8\r\n";
  out += "Date: ";
  out += s.home().date();
  out += "\r\nCache-Control: ";
  out += y.cache_control;
  out += "\r\n"
         "X-Accel-Buffering: no\r\n"
         "Referrer-Policy: no-referrer\r\n" // the URL may hold a token
         "X-Content-Type-Options: nosniff\r\n";
  if (y.any_origin) // whether or not an origin is named, as that system did
    out += "Access-Control-Allow-Origin: *\r\n"
           "Access-Control-Allow-Headers: Cache-Control\r\n";
  else
    for (auto& [name, value] : cors_headers(s.local_shard().settings().server.cors_origins,
                                            x.field(bhttp::field::origin)))
      out += name + ": " + value + "\r\n";
  out += x.http11 ? "Transfer-Encoding: chunked\r\n\r\n" : "Connection: close\r\n\r\n";
  return out;
}

} // namespace

void open_stream(session& s, const request& x, stream_opening y) {
  auto header = stream_header(s, x, y);
  if (x.method == bhttp::verb::head)
    return s.respond_raw(std::move(header));
  // Since the caller was let in something may have been waited for.
  if (auto why =
        check_still_good(*s.broker().gate.load(), y.what.by, s.local_shard().clock().wall_ms()))
    return s.respond(problem(*why));
  auto taken = take_places(s, y);
  if (!taken)
    return s.respond(problem(taken.error()));
  auto& home = s.local_shard();
  auto& owner = s.home();
  auto stats = home.shared_stats();
  auto socket = s.release(header);
  socket->limit_unsent(home.settings().stream.unsent_bytes);
  auto sink = make_stream_sink(owner, std::move(socket), std::move(header),
                               [stats, kept = *taken] { subtract(stats->connections_open); });
  auto id = home.open_stream(std::move(y.what), std::move(sink));
  for (auto& place : *taken)
    place->settle(id);
}

} // namespace tidings::http
