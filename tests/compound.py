# SPDX-License-Identifier: Apache-2.0
"""Compound files (OLE, [MS-CFB]) and Outlook messages in them ([MS-OXMSG]), as small as can be."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Tree: TypeAlias = Mapping[str, "bytes | Tree"]

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def compound(tree: Tree) -> bytes:
    """A compound file of these storages (mappings) and streams (bytes)."""
    entries: list[list[object]] = [["Root Entry", 5, _FREE, _FREE, b""]]  # name, type, right, child

    def put(inside: Tree) -> int:
        places = []
        for name, content in inside.items():
            places.append(len(entries))
            is_stream = isinstance(content, bytes)
            entries.append([name, 2 if is_stream else 1, _FREE, _FREE, b""])
            if isinstance(content, bytes):
                entries[-1][4] = content
            else:
                place = len(entries) - 1
                entries[place][3] = put(content)
        for place, following in itertools.pairwise(places):
            entries[place][2] = following  # a tree that leans to the right
        return places[0] if places else _FREE

    entries[0][3] = put(tree)
    mini = bytearray()
    mini_fat: list[int] = []
    body = bytearray()
    fat: list[int] = []

    def chain(content: bytes) -> int:
        """Appends sectors and returns the first."""
        count = -(-len(content) // _SECTOR)
        start = len(fat)
        body.extend(content + bytes(count * _SECTOR - len(content)))
        fat.extend([*range(start + 1, start + count), _END] if count else [])
        return start if count else _END

    starts: list[tuple[int, int]] = []
    for _, kind, _, _, content in entries:
        assert isinstance(content, bytes)
        if kind != 2:
            starts.append((0, 0))
        elif len(content) >= _CUTOFF:
            starts.append((chain(content), len(content)))
        else:
            start, count = len(mini_fat), -(-len(content) // _MINI)
            mini.extend(content + bytes(count * _MINI - len(content)))
            mini_fat.extend([*range(start + 1, start + count), _END] if count else [])
            starts.append((start if count else _END, len(content)))
    starts[0] = (chain(bytes(mini)), len(mini))
    directory = b"".join(
        _entry(str(name), kind, right, child, *place)
        for (name, kind, right, child, _), place in zip(entries, starts, strict=True)
    )
    directory_start = chain(directory)
    mini_fat_start = chain(struct.pack(f"<{len(mini_fat)}I", *mini_fat))
    fat_count = 1
    while fat_count * 128 < len(fat) + fat_count:
        fat_count += 1
    fat_start = len(fat)
    fat.extend([_FAT] * fat_count)
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(fat_count * _SECTOR, b"\xff")
    header = struct.pack(
        "<8s16sHHHHH6x9I",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6, 0, fat_count,
        directory_start, 0, _CUTOFF, mini_fat_start, -(-len(mini_fat) * 4 // _SECTOR), _END, 0,
    )  # fmt: skip
    difat = [*range(fat_start, fat_start + fat_count)]
    difat += [_FREE] * (109 - len(difat))
    return header + struct.pack("<109I", *difat) + bytes(body) + table


def _entry(name: str, kind: object, right: object, child: object, start: int, size: int) -> bytes:
    spelt = name.encode("utf-16-le") + b"\x00\x00"
    return struct.pack(
        "<64sHBBIII16sI8s8sIQ",
        spelt, len(spelt), kind, 1, _FREE, right, child, bytes(16), 0, bytes(8), bytes(8), start,
        size,
    )  # fmt: skip


def outlook(
    *,
    texts: Mapping[int, str] | None = None,
    binaries: Mapping[int, bytes] | None = None,
    attachments: Sequence[Mapping[int, str | bytes | Tree]] = (),
    recipients: Sequence[Mapping[int, str | bytes | Tree]] = (),
    sent: int = 0,
    embedded: bool = False,
) -> Tree:
    """A message's storage; attachments and recipients are given by their properties."""
    values: dict[int, str | bytes | Tree] = {**(texts or {}), **(binaries or {})}
    tree: dict[str, bytes | Tree] = dict(_streams(values))
    more = struct.pack("<HHIQ", 0x40, 0x0039, 6, sent) if sent else b""
    counts = struct.pack("<8x4I", len(recipients), len(attachments), len(recipients), 0)
    tree["__properties_version1.0"] = (
        (counts if embedded else counts + bytes(8)) + _table(values) + more
    )
    for kind, several in (("attach", attachments), ("recip", recipients)):
        for number, each in enumerate(several):
            inside: dict[str, bytes | Tree] = dict(_streams(each))
            inside["__properties_version1.0"] = bytes(8) + _table(each)
            tree[f"__{kind}_version1.0_#{number:08X}"] = inside
    return tree


def _streams(values: Mapping[int, str | bytes | Tree]) -> dict[str, bytes | Tree]:
    found: dict[str, bytes | Tree] = {}
    for name, value in values.items():
        if isinstance(value, str):
            found[f"__substg1.0_{name:04X}001F"] = value.encode("utf-16-le")
        elif isinstance(value, bytes):
            found[f"__substg1.0_{name:04X}0102"] = value
        else:
            found[f"__substg1.0_{name:04X}000D"] = value
    return found


def _table(values: Mapping[int, str | bytes | Tree]) -> bytes:
    rows = b""
    for name, value in values.items():
        kind = 0x1F if isinstance(value, str) else 0x102 if isinstance(value, bytes) else 0x0D
        size = 2 * len(value) + 2 if isinstance(value, str) else 4
        rows += struct.pack("<HHIII", kind, name, 6, size, 0)
    return rows
