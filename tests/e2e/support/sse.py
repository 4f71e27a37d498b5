"""An incremental parser of event streams, after WHATWG HTML 9.2.6. The broker's encoder is checked
against it, so it shares no idea with it but the standard."""

import collections

# What a stream gave. `id` is the last event id that holds after the item.
#   event     type, data        what a page would get
#   position  -                 a block that only moved the id
#   comment   data
#   retry     data: milliseconds
Item = collections.namedtuple("Item", "kind type data id")


class Parser:
    def __init__(self):
        self.last_event_id = ""
        self._rest = b""  # of a line that is not complete
        self._skip_lf = False  # the last byte was a CR that ended a line
        self._first = True
        self._id = ""
        self._type = ""
        self._data = []
        self._any_id = False

    def feed(self, chunk):
        """Takes bytes, cut anywhere; returns the items they complete."""
        items = []
        if self._skip_lf and chunk:
            self._skip_lf = False
            if chunk[:1] == b"\n":
                chunk = chunk[1:]
        text = self._rest + chunk
        if b"\r" in text:
            # A CR at the very end already ends the line; should an LF follow, it belongs to it.
            self._skip_lf = text.endswith(b"\r")
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = text.split(b"\n")
        for line in lines:
            if self._first:
                self._first = False
                if line.startswith(b"\xef\xbb\xbf"):
                    line = line[3:]
            self._line(line.decode("utf-8", "replace"), items)
        return items

    def _line(self, line, items):
        if not line:
            self._dispatch(items)
            return
        if line[0] == ":":
            items.append(Item("comment", None, line[1:], self.last_event_id))
            return
        field, colon, value = line.partition(":")
        if colon and value[:1] == " ":
            value = value[1:]
        if field == "data":
            self._data.append(value)
        elif field == "id":
            if "\0" not in value:
                self._id = value
                self._any_id = True
        elif field == "event":
            self._type = value
        elif field == "retry":
            if value.isascii() and value.isdigit():
                items.append(Item("retry", None, int(value), self.last_event_id))

    def _dispatch(self, items):
        moved = self._any_id
        self.last_event_id = self._id
        if self._data:
            items.append(Item("event", self._type or "message", "\n".join(self._data), self._id))
        elif moved:
            items.append(Item("position", None, None, self._id))
        self._type = ""
        self._data = []
        self._any_id = False
