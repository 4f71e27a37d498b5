// The encoder of event streams against a parser that was written from the WHATWG text. Parts: type
// and data; whatever the bytes of the data are, a browser gets them back line by line.

#include "tidings/sse.hpp"

#include "fuzz/check_publication.hpp"

void tidings::fuzz::run(std::string_view input) {
  parts all{input};
  auto type = all.next();
  auto data = all.rest();
  if (!is_utf8(type) || !is_single_line(type))
    type = {};
  if (!is_utf8(data) || data.find('\0') != data.npos)
    return; // refused before it gets here
  event x;
  x.topics = {"t"};
  x.type = type;
  x.data = data;
  check_event_on_the_wire(x);
  // A comment is never more than a comment.
  std::string wire;
  sse::append_comment(wire, data);
  sse::append_position(wire, "c1.AB");
  sse_parser browser;
  browser.push(wire);
  require(browser.events.empty(), "a comment fires nothing");
}
