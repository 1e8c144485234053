# SPDX-License-Identifier: Apache-2.0
"""Filled forms as they arrive, as our reader reads them, and what each word that it read is.

Everything is written to a corpus folder that ``training.evaluate`` understands:

    NAME.json           truth: ``doc_type``, ``fields``, ``file``, ``variants``
    NAME.tif            the clean scan; ``NAME__fine_g3.tif`` and so on the faxes
    pages/STEM.json     the pages as read (``list[Page]``)
    labels/STEM.json    the role, party and value of every word of those pages
    labelled/STEM.json  pages and labels together, as taggers learn from them (training.labelled)

What was filled in is part of every file's key: the same call again reads nothing anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rapidfuzz
from pydantic import TypeAdapter

from idp.document import Box, Page, RawPage
from idp.extract.crf_roles import LABEL, OUTSIDE, TITLE
from idp.forms.meaning import Meaning
from idp.forms.printed import is_title, lines_of
from idp.ingest import unpack
from idp.read import Reader
from idp.settings import IngestSettings
from training.faxes.degrade import Degraded, Drawn, degrade
from training.faxes.truth import Affine, moved
from training.forms.blanks import Blank
from training.forms.fill import FilledForm, FilledPage
from training.labelled import write_labelled
from training.synthesise.noise import Labelled

SUFFIXES = {"clean": "", "fine": "__fine_g3", "standard": "__std_g3"}
"""Variants by the names that the scorer gives them."""
WAYS = {
    "clean": ("clean", "scan_200"),
    "fine": ("fine_dither", "fine_threshold"),
    "standard": ("standard_dither", "standard_threshold"),
}
_PAGES = TypeAdapter(list[Page])
_ALIKE = 55.0
"""Least likeness of a printed word and a read one at the same place (0..100)."""
_SLACK = (0.004, 0.005)
"""How far a word may be read beside where it was drawn, page widths and heights."""


class Read(NamedTuple):
    """One variant of one filled form as it was read."""

    stem: str
    pages: list[Page]
    labelled: list[Labelled]


def stem_of(form: FilledForm) -> str:
    """The name of a filled form in the corpus."""
    return f"{form.blank.family}-{form.blank.stem}-{form.seed}"


def write_truth(form: FilledForm, variants: Sequence[str], folder: Path) -> None:
    """The truth, in the scorer's words."""
    stem = stem_of(form)
    truth: dict[str, Any] = {
        "doc_type": str(form.blank.type),
        "pages": len(form.pages),
        "synthetic": True,
        "layout": form.blank.stem,
        "form": form.blank.stem,
        "form_pages": [page.number for page in form.pages],
        "family": form.blank.family,
        "file": f"{stem}.tif",
        "variants": [f"{stem}{SUFFIXES[v]}.tif" for v in variants if v != "clean"],
        "fields": {
            name: {"value": value, "page": page}
            for name, (value, page) in sorted(form.fields.items())
        },
    }
    _write(folder / f"{stem}.json", json.dumps(truth, indent=1).encode())


def forget_truth(form: FilledForm, folder: Path) -> None:
    """The form is judged by nothing until its truth is written again."""
    (folder / f"{stem_of(form)}.json").unlink(missing_ok=True)


def arrived(form: FilledForm, variant: str) -> list[Degraded]:
    """The pages as they arrive, all through one machine."""
    rng = random.Random(f"{stem_of(form)}/{variant}")  # noqa: S311 - not for secrets
    way = rng.choice(WAYS[variant])
    kind = f"forms/{form.blank.stem}"
    return [
        degrade(Drawn(kind, form.seed, page.pdf, page.truth, page.size_pt), way, page.number)
        for page in form.pages
    ]


def make(form: FilledForm, variant: str, folder: Path, reader: Reader, limits: IngestSettings) \
        -> Read:  # fmt: skip
    """Degrades, reads and labels one filled form, or takes what an earlier run has left.

    Raises:
        InputError: a page can't be read back.
    """
    stem = f"{stem_of(form)}{SUFFIXES[variant]}"
    key = hashlib.sha256(
        json.dumps([variant, [p.truth.words for p in form.pages], reader.versions]).encode()
        + b"".join(p.pdf for p in form.pages if not p.truth.words)
    ).hexdigest()
    read_path, key_path = folder / "pages" / f"{stem}.json", folder / "pages" / f"{stem}.key"
    raster = folder / f"{stem}.tif"
    known = key_path.read_text(encoding="ascii") if key_path.exists() else ""
    moves_path = folder / "pages" / f"{stem}.moves"
    if known == key and read_path.exists() and moves_path.exists():
        pages = _PAGES.validate_json(read_path.read_bytes())
        moves = json.loads(moves_path.read_text(encoding="ascii"))
    else:
        came = arrived(form, variant)
        moves = [_move_of(one).tolist() for one in came]
        _save(came, raster)
        with tempfile.TemporaryDirectory(prefix="forms-") as work:
            raws: tuple[RawPage, ...] = unpack(raster, Path(work), limits).pages
            pages = [
                page.model_copy(update={"image": None}) for page in reader.read(raws, Path(work))
            ]
        _write(read_path, _PAGES.dump_json(pages))
        _write(moves_path, json.dumps(moves).encode())
        _write(key_path, key.encode())
    labelled = [
        label(page, form, filled, move)
        for page, filled, move in zip(pages, form.pages, moves, strict=True)
    ]
    record = [one._asdict() | {"page": None} for one in labelled]
    _write(folder / "labels" / f"{stem}.json", json.dumps(record).encode())
    write_labelled(folder / "labelled" / f"{stem}.json", labelled)
    return Read(stem, pages, labelled)


def labelled_pages(folder: Path, variants: Sequence[str] = ("clean", "fine")) -> Iterator[Labelled]:
    """The labelled pages of a corpus folder, in order, for training."""
    for path in sorted((folder / "labels").glob("*.json")):
        variant = next(
            (name for name, suffix in SUFFIXES.items() if suffix and path.stem.endswith(suffix)),
            "clean",
        )
        if variant not in variants:
            continue
        pages = _PAGES.validate_json((folder / "pages" / path.name).read_bytes())
        for page, entry in zip(pages, json.loads(path.read_text("ascii")), strict=True):
            yield Labelled(
                page, tuple(entry["roles"]), tuple(entry["parties"]), tuple(entry["spans"])
            )


def _move_of(one: Degraded) -> Affine:
    """From places on the drawn page to places on the page as it is read."""
    return one.drawn_to_upright


def label(page: Page, form: FilledForm, filled: FilledPage, move: Any) -> Labelled:
    """The role, party and value number of every word that was read."""
    matrix = np.asarray(move, np.float64)
    blank = form.blank
    roles = [OUTSIDE] * len(page.words)
    parties = [""] * len(page.words)
    spans = [-1] * len(page.words)
    _label_print(page, blank, filled.number, matrix, roles)
    for number, entry in enumerate(filled.entries):
        meaning = blank.meanings[entry.item]
        group = blank.groups[entry.item]
        for segment in entry.segments:
            drawn = filled.truth.segments[segment]
            for index in _words_at(page, moved(drawn.box, matrix)):
                word = page.words[index].text
                if rapidfuzz.fuzz.partial_ratio(_flat(word), _flat(drawn.text)) < _ALIKE:
                    continue
                roles[index] = role_taught(meaning)
                parties[index] = meaning.party if meaning.party != "other" else ""
                spans[index] = group if group else 10_000 + number
    return Labelled(page, tuple(roles), tuple(parties), tuple(spans))


def role_taught(meaning: Meaning) -> str:
    """The role that the tagger learns: a street before its city is a street."""
    if meaning.role == "ADDRESS" and meaning.part == "street":
        return "STREET"
    return meaning.role or "X_TEXT"


def _label_print(page: Page, blank: Blank, number: int, matrix: Any, roles: list[str]) -> None:
    """Labels and titles among the form's own print."""
    print_ = next(p for p in blank.pages if p.number == number)
    kinds: dict[int, str] = {}
    for item in blank.items:
        if item.widget.page == number and item.widget.kind in ("text", "choice"):
            kinds.update(dict.fromkeys(item.label_words, LABEL))
    for line in lines_of(print_.words):
        if is_title(" ".join(print_.words[i].text for i in line)):
            kinds.update(dict.fromkeys(line, TITLE))
    for place, role in kinds.items():
        word = print_.words[place]
        for index in _words_at(page, moved(word.box, matrix)):
            alike = rapidfuzz.fuzz.partial_ratio(_flat(page.words[index].text), _flat(word.text))
            if alike >= _ALIKE:
                roles[index] = role


def _words_at(page: Page, box: Box) -> list[int]:
    across, down = _SLACK
    wide = Box(box.x0 - across, box.y0 - down, box.x1 + across, box.y1 + down)
    return [i for i, word in enumerate(page.words) if wide.contains(word.box.cx, word.box.cy)]


def _flat(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _save(pages: Sequence[Degraded], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = (page.image for page in pages)
    how = "group3" if pages[0].one_bit else "tiff_lzw"
    half = path.with_suffix(".half")
    first.save(half, "TIFF", compression=how, dpi=pages[0].dpi, save_all=True, append_images=rest)
    half.replace(path)


def _write(path: Path, content: bytes) -> None:
    """Beside the target, then renamed, so that a killed run leaves whole files only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".half")
    with half.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    half.replace(path)


__all__ = [
    "Read",
    "forget_truth",
    "label",
    "labelled_pages",
    "make",
    "role_taught",
    "stem_of",
    "write_truth",
]
