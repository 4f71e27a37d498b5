#pragma once

#include "http/io/transport.hpp"
#include "http/io/worker.hpp"
#include "tidings/byte_sink.hpp"

#include <functional>
#include <memory>
#include <string>

namespace tidings::http {

/// The socket of a stream, from the response header on.
/// @param home outlives the sink
/// @param header is sent first
/// @param on_end called once when the sink is done with the socket
std::shared_ptr<byte_sink> make_stream_sink(worker& home, std::unique_ptr<transport> socket,
                                            std::string header, std::function<void()> on_end);

} // namespace tidings::http
