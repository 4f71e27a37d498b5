"""What stands in the ids of a cluster, read with code of the tests' own: whose record it is, and how far a cursor has seen each node."""

import base64


def _binary(text, prefix):
    if not text.startswith(prefix):
        raise ValueError(f"not of the kind {prefix}: {text!r}")
    text = text[len(prefix):]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def _component(data, at):
    node = data[at:at + 8].hex()
    incarnation, at = _varint(data, at + 8)
    sequence, at = _varint(data, at)
    return node, (incarnation, sequence), at


def place_of(identity):
    """Of an event's id: the node that accepted it, and (incarnation, sequence) there."""
    node, place, _ = _component(_binary(identity, "e1."), 0)
    return node, place


def components(cursor):
    """Of a cursor: node -> (incarnation, sequence) up to which it has seen that node's records. Nodes without any are left out."""
    data = _binary(cursor, "c1.")
    found, at = {}, 1
    for _ in range(data[0]):
        node, place, at = _component(data, at)
        if place[1]:
            found[node] = place
    return found


def is_behind(before, after):
    """Whether a cursor has gone back: there is a node of which `after` has seen less."""
    old, new = components(before), components(after)
    return any(new.get(node, (0, 0)) < place for node, place in old.items())


def _as_varint(x):
    data = b""
    while x >= 0x80:
        data += bytes([x & 0x7F | 0x80])
        x >>= 7
    return data + bytes([x])


def cursor_of(parts):
    """The cursor of who has seen the records of each node up to (incarnation, sequence)."""
    data = _as_varint(len(parts))
    for node, (incarnation, sequence) in sorted(parts.items()):
        data += bytes.fromhex(node) + _as_varint(incarnation) + _as_varint(sequence)
    return "c1." + base64.urlsafe_b64encode(data).decode().rstrip("=")
