# SPDX-License-Identifier: Apache-2.0
"""X12 interchanges broken with a sense for what they are made of."""

from __future__ import annotations

import random

from idp.ingest.opened import X12
from tests import x12

MEDIA_TYPES = (X12,)

_SEGMENTS = (
    *(b"ISA", b"IEA", b"GS", b"GE", b"ST", b"SE", b"TA1", b"CLP", b"CAS", b"SVC", b"PLB"),
    *(b"HL", b"HCR", b"NM1", b"DMG", b"AK9", b"STC", b"LX", b"BPR", b"MIA", b"UM", b"HI", b"DTP"),
)
_VALUES = (
    *(b"", b"-0", b".", b"1e9", b"-", b"99999999999999999", b"NaN", b"20261399", b"00000000"),
    *(b":::", b"^", b"\x00", b"\xff", b"\xc3\x81", b"\xe2\x80\xae", b"*" * 50, b"A" * 40_000),
    *(b"22", b"PR", b"A6", b"XX", b"RD8", b"20260101-", b"\xd9\xa3", b"\xc2\xb2", b"\r\n", b" "),
)


def seeds() -> list[bytes]:
    """Whole interchanges of every kind that is told apart, with all separators."""
    made = [
        x12.whole("835", x12.remittance(random.Random(n)).body(), by=by)
        for n, by in enumerate(x12.OTHERS)
    ]
    made += [
        x12.whole("278", x12.determination()),
        x12.whole("278", x12.determination("A3", "", "NOT CERTIFIED", ("A1", "A3"))),
        x12.whole("271", x12.eligibility([("OAKENSHAW", "M1"), ("VANTERPOOL", "M2")])),
        x12.whole("999", x12.acknowledgment("P")),
        x12.whole("835", *(x12.remittance(random.Random(n), 1).body() for n in range(3))),
    ]
    made.append(made[0] + x12.whole("271", x12.eligibility([("A", "1")]), control="2"))
    made.append(made[3].decode().encode("latin-1"))
    return made


def mutate(data: bytes, chance: random.Random) -> bytes:
    """The interchange with one to four faults."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        data = chance.choice(_FAULTS)(data, chance)
    return data


def _terminator(data: bytes) -> bytes:
    return data[105:106] or b"~"


def _separator(data: bytes) -> bytes:
    return data[3:4] or b"*"


def _segments(data: bytes) -> list[bytes]:
    return data.split(_terminator(data))


def _drop(data: bytes, chance: random.Random) -> bytes:
    parts = _segments(data)
    del parts[chance.randrange(len(parts))]
    return _terminator(data).join(parts)


def _double(data: bytes, chance: random.Random) -> bytes:
    parts = _segments(data)
    at = chance.randrange(len(parts))
    parts.insert(chance.randrange(len(parts) + 1), parts[at])
    return _terminator(data).join(parts)


def _swap(data: bytes, chance: random.Random) -> bytes:
    parts = _segments(data)
    one, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    parts[one], parts[other] = parts[other], parts[one]
    return _terminator(data).join(parts)


def _insert(data: bytes, chance: random.Random) -> bytes:
    parts = _segments(data)
    made = _separator(data).join(
        [chance.choice(_SEGMENTS), *(chance.choice(_VALUES) for _ in range(chance.randrange(20)))]
    )
    parts.insert(chance.randrange(len(parts) + 1), made)
    return _terminator(data).join(parts)


def _rename(data: bytes, chance: random.Random) -> bytes:
    parts = _segments(data)
    at = chance.randrange(len(parts))
    _, *rest = parts[at].split(_separator(data))
    parts[at] = _separator(data).join([chance.choice(_SEGMENTS), *rest])
    return _terminator(data).join(parts)


def _element(data: bytes, chance: random.Random) -> bytes:
    """Another value in one element, also past the segment's end."""
    parts = _segments(data)
    at = chance.randrange(len(parts))
    elements = parts[at].split(_separator(data))
    place = chance.randrange(len(elements) + 2)
    elements += [b""] * (place + 1 - len(elements))
    elements[place] = chance.choice(_VALUES)
    parts[at] = _separator(data).join(elements)
    return _terminator(data).join(parts)


def _mended(data: bytes, chance: random.Random) -> bytes:
    """A fault inside a set whose count is set right again, so that it gets past the reader."""
    by, end = _separator(data), _terminator(data)
    parts = _segments(chance.choice((_element, _swap, _drop, _double, _insert))(data, chance))
    began = 0
    for at, part in enumerate(parts):
        bare = part.strip()
        if bare.startswith(b"ST" + by):
            began = at
        elif bare.startswith(b"SE" + by):
            control = parts[began].strip().split(by)[2:3] or [b""]
            parts[at] = by.join([b"SE", str(at - began + 1).encode(), control[0]])
    return end.join(parts)


def _byte(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) or 1)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) or 1)]


def _around(data: bytes, chance: random.Random) -> bytes:
    junk = chance.choice((b"\xef\xbb\xbf", b"\r\n\r\n", b"\x1a", b"text", b"\x00" * 9, b"ISA*"))
    return junk + data if chance.random() < 0.5 else data + junk


def _digits(data: bytes, chance: random.Random) -> bytes:
    """One digit another: counts, control numbers, amounts, dates."""
    places = [at for at, byte in enumerate(data) if byte in b"0123456789"]
    if not places:
        return data
    at = chance.choice(places)
    return data[:at] + chance.choice("0123456789").encode() + data[at + 1 :]


_FAULTS = (
    *(_drop, _double, _swap, _insert, _rename, _element, _element, _mended, _mended, _mended),
    *(_byte, _cut, _around, _digits),
)
