"""Ledgers: what clients wrote down while it happened, one JSON object a line. README.md has the fields."""

import json
import threading

# what -> fields that a line of that kind must have
FIELDS = {
    "sent": ("event", "publisher"),
    "acknowledged": ("event", "publisher", "id", "level"),
    "refused": ("event", "publisher"),
    "unknown": ("event", "publisher"),
    "opened": ("stream",),
    "delivered": ("stream", "event", "id"),
    "moved": ("stream", "id"),
    "gap": ("stream", "reason"),
    "finished": ("stream",),
    "stored": ("event", "id"),
    "read": (),
}


class Ledger:
    """Appends lines from any thread, each written in one piece. A client writes a line after it knows, never before."""

    def __init__(self, path):
        self.path = path
        # Unbuffered: what is written down must not be lost with the client.
        self._file = open(path, "ab", buffering=0)
        self._lock = threading.Lock()

    def write(self, what, **fields):
        line = json.dumps({"what": what, **fields}, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        with self._lock:
            self._file.write(line)

    def close(self):
        self._file.close()


def read_ledgers(paths):
    """The lines of all files, file by file. ValueError names the place of a line that is none."""
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                if not text.strip():
                    continue
                try:
                    line = json.loads(text)
                    missing = [x for x in FIELDS[line["what"]] if x not in line]
                except (ValueError, KeyError, TypeError) as why:
                    raise ValueError(f"{path}:{number}: not a line of a ledger: {why!r}") from None
                if missing:
                    raise ValueError(f"{path}:{number}: a line {line['what']!r} needs {', '.join(missing)}")
                yield line
