// Cursors come back from clients: what is taken is exactly what we would have printed.

#include "tidings/cursor.hpp"

#include "fuzz/fuzz.hpp"

void tidings::fuzz::run(std::string_view input) {
  auto x = cursor::parse(input);
  if (!x)
    return;
  require(x->to_string() == input, "one spelling");
  require(input.size() <= cursor::text_bytes_max, "within the bound");
  require(x->components().size() <= cursor::components_max, "not too many nodes");
}
