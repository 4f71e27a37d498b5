#pragma once

#include "http/handlers/awaiting_publish.hpp"
#include "http/publication.hpp"

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace tidings::http {

/// Publishes what a request holds as a whole: one event, or several that are stored together.
/// Derived classes say what that is.
class publish_exchange : public awaiting_publish {
public:
  void begin(session& s, request& x) override;

protected:
  using parsed_request = std::variant<std::vector<publication>, response>;

  /// What is to be published, or what to answer instead.
  virtual parsed_request parse(session& s, request& x) = 0;

  /// What the schema of a type is about: see `schema_set::check`.
  virtual std::string_view checked_member() const {
    return {};
  }

  static parsed_request one(result<publication> x);

  bool array_ = false; ///< whether the answer is one to an array

private:
  response outcome(session& s, const publish_request& x) override;

  response refused(const failure& why) override;

  response late() override;

  std::optional<response> check(session& s, const caller_ptr& who,
                                const std::vector<publication>& xs) const;
};

} // namespace tidings::http
