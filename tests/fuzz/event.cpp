// The JSON envelope, one or an array, and items of mailboxes; then the wire.

#include "fuzz/check_publication.hpp"
#include "http/publication.hpp"

void tidings::fuzz::run(std::string_view input) {
  static const limits_config limits;
  if (auto one = http::parse_object(input, limits))
    check_publication(*one);
  auto many = http::parse_array(input, limits);
  if (many.ok())
    for (auto& x : many.items)
      check_publication(x);
  else
    require(many.to_problem().status >= 400, "what is not taken is refused");
  (void)http::parse_item("alice", input, limits);
}
