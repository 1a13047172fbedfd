# SPDX-License-Identifier: MIT
"""The wire format of protocol buffers: fields of a message read and written, without any schema."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Malformed(ValueError):
    """Not a message; the text is what Go's proto.Unmarshal says of such bytes."""


def varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data):
            raise Malformed("proto: unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
        shift += 7
        if shift > 63:
            raise Malformed("proto: integer overflow")


def fields(data):
    """(number, value) of each field in turn: an int, or bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise Malformed("proto: illegal tag 0 (wire type %d)" % kind)
        if kind == VARINT:
            value, at = varint(data, at)
            yield number, value
            continue
        if kind == BYTES:
            size, at = varint(data, at)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise Malformed("proto: illegal wireType %d" % kind)
        if at + size > len(data):
            raise Malformed("unexpected EOF")
        value = data[at:at + size]
        yield number, value if kind == BYTES else int.from_bytes(value, "little")
        at += size


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def packed(value):
    """The numbers of a repeated field, whose value came packed or as one number."""
    if isinstance(value, int):
        return [value]
    numbers, at = [], 0
    while at < len(value):
        number, at = varint(value, at)
        numbers.append(number)
    return numbers


def text(value):
    if isinstance(value, int):
        raise Malformed("proto: wrong wireType = 0 for a string")
    return value


def put_varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def put(number, value):
    """A field: of an int (0 is left out), of bytes or a str, or of a list of ints (packed)."""
    if isinstance(value, int):
        return put_varint(number << 3) + put_varint(value) if value else b""
    if isinstance(value, list):
        value = b"".join(put_varint(v) for v in value)
    elif isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    return put_varint(number << 3 | BYTES) + put_varint(len(value)) + value
