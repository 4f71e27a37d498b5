"""Texts that a parser of streams can trip over."""

TEXTS = ["", " ", "  two spaces", "\n", "\n\n", "a\nb", "a\rb", "a\r\nb", "a\n\rb", "\ra", "a\r", "a\n", "a\n\n", ":", ": comment", "data: x", "data", "id: 9",
         "event: x", "retry: 1", "a\ndata: b", "a\n\nid: 1\ndata: b", "\ufeff", "\ufeffa", "\u2028", "a\u2028b\u2029c", "\x85", "\x0b\x0c", "\x1b[31m",
         "\x01\x02\x1f\x7f", "ä€𝄞", "\u202e", "\ud7ff\ue000\uffff", "\U0010ffff", "x" * 5000, "line\n" * 300, "é\ne\u0301", "</script>", "\\n", "%0a", "\t\ttab"]


def shown(text):
    """What a page gets: clients know one line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
