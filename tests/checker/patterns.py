"""What a subscription asks for, written down a second time."""

import re

_SEPARATORS = ":/."


def matches(pattern, topic):
    """The meaning of a subscription's pattern, written down a second time."""
    if pattern in ("*", "**"):
        return True
    expression, segment = "", ""
    for letter in pattern + "\0":
        if letter in _SEPARATORS or letter == "\0":
            last = letter == "\0"
            if segment == "*":
                expression += f"[^{re.escape(_SEPARATORS)}]+"
            elif segment == "**" and last:
                expression += ".+"
            else:
                expression += re.escape(segment)
            expression += "" if last else re.escape(letter)
            segment = ""
        else:
            segment += letter
    return re.fullmatch(expression, topic, re.DOTALL) is not None


def wants(patterns, topics):
    """Whether an event with these topics belongs to a stream that asked for these patterns."""
    return not patterns or any(matches(p, t) for p in patterns for t in topics)
