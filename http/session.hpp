#pragma once

#include "http/broker_context.hpp"
#include "http/io/transport.hpp"
#include "http/io/worker.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tidings::http {

class exchange;

/// One client's connection: reads requests one after the other, hands each to its handler, and
/// writes the answers. Reads nothing while an answer is being made, so a client that sends faster
/// than it is served waits in its own socket.
class session : public transport::user, public timed, public std::enable_shared_from_this<session> {
public:
  session(worker& home, broker_context& broker, std::unique_ptr<transport> socket);

  ~session() override;

  void start();

  /// No more requests after the present one; at once if there is none.
  void drain();

  /// Ends the connection at once, whatever is under way.
  void abort();

  // -- for handlers
  // ----------------------------------------------------------------------------------

  worker& home() noexcept {
    return home_;
  }

  shard& local_shard() noexcept {
    return home_.home();
  }

  const config& settings() const noexcept {
    return home_.home().settings();
  }

  broker_context& broker() noexcept {
    return broker_;
  }

  /// IP address of the client.
  std::string address() const {
    return peer_.substr(0, peer_.rfind(':'));
  }

  /// The same with its port.
  const std::string& peer() const {
    return peer_;
  }

  /// Answers the present request, and goes on with the next.
  void respond(const response& x);

  /// Answers with a header made by the caller, without a body; the connection ends.
  void respond_raw(std::string header);

  /// Starts an answer whose body comes in pieces; chunked for HTTP/1.1.
  void begin_streaming(std::string_view content_type);

  void write_piece(std::string_view bytes);

  void end_streaming();

  /// Bytes of the answer that the client has not taken yet.
  size_t unsent() const noexcept {
    return out_.size() - out_begin_;
  }

  /// Whether nothing more of the body is read until `resume_body`.
  bool paused() const noexcept {
    return paused_;
  }

  /// Reads on in the body of the present request; the exchange hears of it.
  void resume_body();

  /// Gives the socket to a stream: the session is over.
  /// @param header of the response; what the client has not taken yet is put before it
  std::unique_ptr<transport> release(std::string& header);

  // -- transport::user and timed
  // -----------------------------------------------------------------------

  void on_read(error_code ec, size_t n) override;
  void on_room(error_code ec) override;
  void on_deadline() override;

private:
  enum class state : uint8_t { handshake, head, body, handling, lingering, closed };

  void read_more();
  void process();
  bool process_head();
  std::shared_ptr<exchange> let_in(request& x);
  bool refuse_without_body(size_t head_bytes);
  bool process_body();
  void consume(size_t n);
  void fail(const failure& why, unsigned status);
  void flush();
  void wait_for_room();
  bool hold(statistics::counter& in, size_t bytes);
  void let_go();
  milliseconds time_for(milliseconds without_progress, size_t bytes);
  void begin_answer();
  void answered();
  void ask_exchange();
  void linger();
  void close();

  worker& home_;
  broker_context& broker_;
  std::unique_ptr<transport> socket_;
  std::string peer_;
  std::string in_;     // received and not yet consumed
  size_t in_used_ = 0; // bytes of in_ that are filled
  size_t scanned_ = 0; // of the head
  std::string out_;
  size_t out_begin_ = 0;                   // what is before it has been sent
  statistics::counter* held_in_ = nullptr; // see hold
  size_t held_ = 0;
  size_t answer_bytes_ = 0;
  std::optional<int64_t> transfer_begin_ms_; // when the body or the answer was first waited for
  std::unique_ptr<request_reader> reader_;
  std::shared_ptr<exchange> exchange_;
  state state_ = state::handshake;
  size_t lingered_ = 0;
  bool keep_alive_ = true;
  bool chunked_answer_ = false;
  bool head_only_ = false;
  bool answer_begun_ = false; ///< of an answer that is streamed the header is out
  bool answer_done_ = true;
  bool body_done_ = false;
  bool reading_ = false;
  bool waiting_for_room_ = false;
  bool processing_ = false;
  bool paused_ = false; // a streaming handler does not want more now
  bool draining_ = false;
};

} // namespace tidings::http
