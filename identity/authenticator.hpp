#pragma once

#include "identity/api_keys.hpp"
#include "identity/proxy_trust.hpp"
#include "identity/revocations.hpp"
#include "identity/token_verifier.hpp"
#include "tidings/caller.hpp"
#include "tidings/config.hpp"
#include "tidings/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// What a request brings along to say who makes it. Values without the names of their fields, as
/// they came; nullopt: the request has no such field.
struct credentials {
  std::optional<std::string_view> authorization; ///< `Bearer TOKEN` or `ApiKey KEY`
  std::optional<std::string_view> cookie;        ///< the whole field; several joined with `; `
  std::optional<std::string_view> query_token;   ///< from the URL, percent-decoded
  std::optional<std::string_view> user_header; ///< the field that authenticator::user_header names
  std::optional<std::string_view> user_parameter; ///< from the URL, percent-decoded
  std::optional<std::string_view> api_key;        ///< `X-API-Key`
  std::string_view peer_address;                  ///< IP address of the other end of the socket
  bool is_stream = false; ///< the request is for a stream: only there a token in the URL counts
  bool ambiguous = false; ///< a field or parameter of these, cookies aside, came more than once

  /// Whether the request says nothing about who makes it.
  bool empty() const noexcept {
    return !ambiguous && !authorization && !cookie && !query_token && !user_header
           && !user_parameter && !api_key;
  }
};

/// Decides who a caller is. Immutable but for its memory of good tokens; any number of threads may
/// use it at once. A reload of the configuration makes a new one.
///
/// Trust, strongest first: bearer token, cookie, token in the URL, trusted proxy, API key. Whatever
/// is offered has to be right, and all have to mean the same user: what is wrong is never passed
/// over for something weaker.
class authenticator {
public:
  /// Reads the key files. Fails with errc::invalid_configuration; one line per problem.
  /// @param revoked may be nullptr
  static result<std::shared_ptr<const authenticator>>
  make(const auth_config& x, std::shared_ptr<const revocations> revoked = nullptr);

  /// Who makes a request. Fails with errc::unauthorized; the detail is for the client and holds
  /// nothing of its credentials.
  ///
  /// Who offers nothing is, if there is a way to sign in, nobody with the configured rights. If
  /// there is none, the broker is open: the user is whom the request names, and may do everything.
  /// An impossible user name there fails with errc::invalid_parameter.
  result<caller> authenticate(const credentials& x, int64_t now_ms) const;

  /// Who offers nothing. All share it.
  const std::shared_ptr<const caller>& nobody() const noexcept {
    return shared_nobody_;
  }

  /// Whether no way to sign in is configured.
  bool is_open() const noexcept {
    return open_;
  }

  /// The field in which a trusted proxy, and in an open broker everybody, names the user.
  const std::string& user_header() const noexcept {
    return user_header_;
  }

  /// Whether a caller who has been let in, maybe before a reload, may stay: not expired, not
  /// revoked, and what let them in is still configured. For streams, from time to time.
  bool is_still_good(const caller& x, int64_t now_ms) const;

private:
  authenticator(const auth_config& x, key_ring keys, api_keys programs, proxy_trust proxies);

  result<caller> check_token(std::string_view token, caller::way how, int64_t now_ms) const;
  result<caller> open_caller(const credentials& x) const;

  token_verifier tokens_;
  api_keys programs_;
  proxy_trust proxies_;
  std::shared_ptr<const revocations> revoked_;
  std::string cookie_;
  std::string user_header_;
  caller nobody_; // who offers nothing
  std::shared_ptr<const caller> shared_nobody_;
  std::vector<uint64_t> bases_; // that a caller may have
  bool open_ = false;
};

} // namespace tidings
