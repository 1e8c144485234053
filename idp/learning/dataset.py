# SPDX-License-Identifier: Apache-2.0
"""Corrected documents as a data set: pages, truth, hashes, where everything comes from.

    OUT/dataset.json              manifest: every document, its provenance, the hash of the whole
    OUT/train/NAME.json           truth, as training/evaluate.py reads it
    OUT/train/pages/NAME.json     the pages as read, without pictures
    OUT/train/cuts/NAME.json      a packet that a person cut: what each of its pages is
    OUT/train/cuts/pages/NAME.json  its pages as read
    OUT/locked/...                the same for documents that no training ever sees

A layout family is wholly in one share: a model that saw one copy of a form knows the others. Which
one follows from the family's name and stays so for good, whatever is corrected later; the locked
share grows with the families that people correct. The same store gives the same bytes.

The files hold patients' data. Nothing but names, hashes and counts is in the manifest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter

from idp.cutting import GivenCuts
from idp.document import Claim, Document, Page
from idp.errors import AccessError
from idp.learning.files import hash_of, locked, sha256_of, sync, write_atomically
from idp.learning.layouts import Layouts, signature
from idp.signals import Answer, Correction

SCHEMA = "idp.dataset/1"
TRAIN, LOCKED = "train", "locked"
_PAGES = TypeAdapter(list[Page])
_BUCKETS = 10_000
_WHO = 16
_LINE_CELLS = (
    "service_date",
    "procedure_code",
    "units",
    "billed",
    "allowed",
    "adjustment",
    "carc",
    "rarc",
    "deductible",
    "copay",
    "coinsurance",
    "noncovered",
    "patient_responsibility",
    "paid",
    "note",
)
_CLAIM_CELLS = (
    "patient_name",
    "member_id",
    "group_number",
    "patient_account",
    "claim_number",
    "status",
    *_LINE_CELLS,
)
"""What of a claim is printed, and so may be read."""


class Corrected(Protocol):
    """What the store hands over; see :class:`idp.store.CorrectedDocument`."""

    @property
    def document(self) -> Document: ...
    @property
    def pages(self) -> tuple[Page, ...]: ...
    @property
    def corrections(self) -> tuple[Correction, ...]: ...
    @property
    def complete(self) -> bool: ...
    @property
    def reviewer(self) -> str: ...
    @property
    def made_at(self) -> dt.datetime: ...
    @property
    def claims(self) -> tuple[Claim, ...] | None: ...
    @property
    def type_read(self) -> str | None: ...


class CutByHand(Protocol):
    """What the store hands over; see :class:`idp.store.CutPacket`."""

    @property
    def cuts(self) -> GivenCuts: ...
    @property
    def pages(self) -> tuple[Page, ...]: ...
    @property
    def reviewer(self) -> str: ...
    @property
    def made_at(self) -> dt.datetime: ...


def share_of(layout: str, locked_share: float) -> str:
    """Which share a layout family belongs to, for good: told by its name alone."""
    drawn = int(hashlib.sha256(f"locked {layout}".encode()).hexdigest()[:8], 16) % _BUCKETS
    return LOCKED if drawn < round(locked_share * _BUCKETS) else TRAIN


def set_sha256(folder: Path) -> str:
    """One hash for the truths and pages of a set that models are judged on."""
    return hash_of(
        [
            (path.relative_to(folder).as_posix(), sha256_of(path))
            for path in (*folder.glob("*.json"), *folder.glob("pages/*.json"))
        ]
    )


def make_dataset(
    corrected: Iterable[Corrected],
    out: Path,
    root: Path,
    locked_share: float,
    *,
    cuts: Iterable[CutByHand] = (),
) -> dict[str, Any]:
    """Write the data set and return its manifest; an older one in ``out`` is replaced.

    Args:
        corrected: The documents, in the order of their ids.
        out: The folder; one that holds anything but a data set is refused.
        root: ``<data>/models``: keeps the layout families and the key of the reviewers' hashes.
        locked_share: Share of the families, and of the packets, that is kept from training.
        cuts: Packets that people cut, in the order of their ids.

    Raises:
        AccessError: ``out`` holds something else.
    """
    if out.exists() and any(out.iterdir()) and not (out / "dataset.json").is_file():
        raise AccessError(f"{out} is not empty and no data set", hint="Name a new folder.")
    half = out.with_name(f".{out.name}.new")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True, mode=0o700)  # patients' data: for its owner alone
    with locked(root / ".lock"):
        key = _key(root)
        layouts = Layouts(root / "layouts.json")
        entries = [
            _write(one, half, layouts, key, locked_share)
            for one in corrected
            if one.corrections and one.pages and not _told(one.pages)
        ]
        layouts.save()
        packets = [
            _write_packet(one, half, key, locked_share) for one in cuts if not _told(one.pages)
        ]
    files = {
        path.relative_to(half).as_posix(): sha256_of(path) for path in sorted(half.rglob("*.json"))
    }
    manifest: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": "real",
        "sha256": hash_of(list(files.items())),
        "locked_share": locked_share,
        "documents": entries,
        "packets": packets,
        "counts": {
            share: {
                "documents": sum(e["share"] == share for e in entries),
                "layouts": len({e["layout"] for e in entries if e["share"] == share}),
                "packets": sum(e["share"] == share for e in packets),
            }
            for share in (TRAIN, LOCKED)
        },
        "files": files,
    }
    write_atomically(half / "dataset.json", (json.dumps(manifest, indent=1) + "\n").encode())
    for inner in sorted({p.parent for p in half.rglob("*")}, reverse=True):
        sync(inner)
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    half.rename(out)
    sync(out.parent)
    shutil.rmtree(old, ignore_errors=True)
    return manifest


def _told(pages: Iterable[Page]) -> bool:
    """Whether nothing was read: the listing of an X12 interchange teaches no reader of pages."""
    return all(page.words_source == "x12" for page in pages)


def _write(
    one: Corrected, out: Path, layouts: Layouts, key: bytes, locked_share: float
) -> dict[str, Any]:
    document = one.document
    layout = layouts.family(signature(one.pages), document.document_id)
    share = share_of(layout, locked_share)
    name = f"d-{hashlib.sha256(document.document_id.encode()).hexdigest()[:16]}"
    # Pages count from 1 in a corpus; the document may have begun on page 3 of its packet.
    number = {page.number: place for place, page in enumerate(one.pages, 1)}
    pages = [
        page.model_copy(update={"number": number[page.number], "image": None}) for page in one.pages
    ]
    truth = {
        "doc_type": document.type,
        "pages": len(pages),
        "file": f"{name}.pdf",
        "layout": layout,
        "complete": one.complete,
        "fields": _truth(one.corrections, number),
    }
    if one.claims is not None:
        truth["fields"]["claims"] = {  # type: ignore[index]
            "value": [_cells(claim) for claim in one.claims],
            "page": 1,
        }
    folder = out / share
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "pages" / f"{name}.json", _PAGES.dump_json(pages))
    text = json.dumps(truth, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write_atomically(folder / f"{name}.json", text.encode())
    return {
        "name": name,
        "document_id": document.document_id,
        "type": document.type,
        "type_read": one.type_read,
        "share": share,
        "layout": layout,
        "original_sha256": document.sha256,
        "model_versions": dict(sorted(document.model_versions.items())),
        "reviewer": hmac.new(key, one.reviewer.encode(), "sha256").hexdigest()[:_WHO],
        "corrected_at": one.made_at.isoformat(),
        "fields": len(truth["fields"]),  # type: ignore[arg-type]
    }


def _cells(claim: Claim) -> dict[str, Any]:
    """A claim as a truth file has it: cells by name, lines below, no evidence."""
    kept = claim.model_dump(mode="json", exclude_none=True)
    own = {name: kept[name] for name in _CLAIM_CELLS if name in kept}
    lines = [
        {name: line[name] for name in _LINE_CELLS if name in line}
        for line in kept.get("service_lines", ())
    ]
    return {**own, "service_lines": lines} if lines else own


def _write_packet(one: CutByHand, out: Path, key: bytes, locked_share: float) -> dict[str, Any]:
    """What each page of a packet is; parts are numbered, for their names are the senders'."""
    cuts = one.cuts
    share = share_of(f"packet {cuts.sha256}", locked_share)
    name = f"p-{hashlib.sha256(cuts.arrival_id.encode()).hexdigest()[:16]}"
    parts = {part: number for number, part in enumerate(dict.fromkeys(c.part for c in cuts.pages))}
    pages = [
        page.model_copy(update={"number": place, "part": None, "image": None})
        for place, page in enumerate(one.pages, 1)
    ]
    truth = {
        "pages": [
            {
                "page": place,
                "part": parts[each.part],
                "says": each.says,
                "type": each.type,
                "subtype": each.subtype,
                "page_sha256": each.page_sha256,
            }
            for place, each in enumerate(cuts.pages, 1)
        ],
    }
    folder = out / share / "cuts"
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "pages" / f"{name}.json", _PAGES.dump_json(pages))
    write_atomically(
        folder / f"{name}.json", (json.dumps(truth, indent=1, sort_keys=True) + "\n").encode()
    )
    return {
        "name": name,
        "arrival_id": cuts.arrival_id,
        "share": share,
        "original_sha256": cuts.sha256,
        "pages": len(pages),
        "documents": sum(each.says == "starts" for each in cuts.pages),
        "reviewer": hmac.new(key, one.reviewer.encode(), "sha256").hexdigest()[:_WHO],
        "cut_at": one.made_at.isoformat(),
    }


def _truth(
    corrections: Iterable[Correction], number: Mapping[int, int]
) -> dict[str, dict[str, Any]]:
    """Fields as a truth file has them; what is illegible is named, but without a value to judge.

    ``places`` tells where each value stands, for training: ``value`` is judged.
    """
    by_name: dict[str, list[Correction]] = defaultdict(list)
    for correction in corrections:
        by_name[correction.name].append(correction)
    fields: dict[str, dict[str, Any]] = {}
    for name, several in by_name.items():
        if any(c.answer is Answer.ILLEGIBLE for c in several):
            continue
        values = [c.after for c in several if c.after is not None]
        page = next((number.get(c.page, 1) for c in several if c.page is not None), 1)
        fields[name] = {
            "value": None if not values else values[0] if len(values) == 1 else values,
            "page": page,
            "places": [
                {
                    "value": c.after,
                    "page": number.get(c.page or 0),
                    "box": list(c.box) if c.box and c.page in number else None,
                    "origin": c.origin,
                }
                for c in several
                if c.after is not None
            ],
        }
    return fields


def _key(root: Path) -> bytes:
    """The installation's key for hashing reviewers' names, drawn once."""
    path = root / "reviewers.key"
    if not path.is_file():
        write_atomically(path, secrets.token_hex(32).encode())
        path.chmod(0o600)
    return path.read_bytes()
