# SPDX-License-Identifier: Apache-2.0
"""Corrected documents as labelled pages: what people said becomes what each word is.

    python -m training.corrected --dataset DIR/train --models models --out LABELLED

The words under a corrected value get the role of its field. A tagger learns whole pages, though,
and people speak of a few words on each; the rest of a page is labelled by the tagger in force,
because leaving it out would teach that everything else is nothing. Two things are not believed of
it: a value where the person pointed elsewhere (its role is taken away, unless the words repeat the
person's value), and a label inside a value. Pages on which no value could be found are left out:
they would only teach the tagger what it says already. So are values of fields without a role.
The cells of corrected claims are looked for row by row (:mod:`training.corrected_claims`).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from idp.document import Box, DocumentType, Page, Word
from idp.extract.crf import CrfSource
from idp.extract.crf_roles import (
    ADDRESS_PARTS,
    NAME_PARTS,
    NOT_VALUES,
    OUTSIDE,
    role_of,
)
from idp.extract.features import PageView
from idp.learning import hash_of, sha256_of
from idp.schemas import DocumentSchema, FieldSchema, load_schemas
from idp.values import Kind, parse
from training.corrected_claims import claim_places
from training.labelled import write_labelled
from training.synthesise.noise import Labelled

_PAGES = TypeAdapter(list[Page])
_MARGIN = 0.003
"""A person's box may be this much too small, in widths of the page."""
_MOST_WORDS = 12
"""A value without a box is looked for in runs of so many words."""
_PARTS = {**dict.fromkeys(NAME_PARTS, "NAME"), **dict.fromkeys(ADDRESS_PARTS, "ADDRESS")}


class CorrectedPages(NamedTuple):
    """The labelled pages of a data set, and what they came from."""

    by_document: tuple[tuple[str, tuple[Labelled, ...]], ...]
    layouts: int
    sha256: str

    @property
    def documents(self) -> int:
        return len(self.by_document)

    @property
    def pages(self) -> tuple[Labelled, ...]:
        return tuple(page for _, pages in self.by_document for page in pages)

    def about(self, repeat: int) -> dict[str, Any]:
        """What a manifest says of them: counts and a hash."""
        return {
            "documents": self.documents,
            "pages": len(self.pages),
            "layouts": self.layouts,
            "repeat": repeat,
            "sha256": self.sha256,
        }


class _Place(NamedTuple):
    """Where one value of a field stands."""

    field: FieldSchema
    page: int
    words: tuple[int, ...]
    value: str


def corrected_pages(
    datasets: Sequence[Path], models: Path, own_schemas: Path | None = None
) -> CorrectedPages:
    """The labelled pages of training shares.

    Args:
        datasets: Folders of ``NAME.json`` with ``pages/NAME.json``: ``DIR/train`` of a data set.
        models: The models folder whose tagger labels what nobody spoke of.
        own_schemas: Document types of the installation.

    Raises:
        ValueError: A folder is the locked share of a data set, or holds none.
        ModelError: The tagger can't be loaded.
    """
    schemas = load_schemas(own_schemas)
    source = CrfSource(models, schemas)
    found: list[tuple[str, tuple[Labelled, ...]]] = []
    layouts: set[str] = set()
    files: list[tuple[str, str]] = []
    for folder in datasets:
        if folder.resolve().name == "locked":
            raise ValueError(f"{folder} is a locked share: nothing trains on it")
        truths = sorted(folder.glob("*.json"))
        if not truths:
            raise ValueError(f"no corrected documents in {folder}")
        for path in truths:
            truth = json.loads(path.read_text(encoding="utf-8"))
            schema = schemas.get(DocumentType(truth["doc_type"]))
            own = folder / "pages" / path.name
            if schema is None or not own.is_file():
                continue
            files += [(path.name, sha256_of(path)), (f"pages/{path.name}", sha256_of(own))]
            pages = _PAGES.validate_json(own.read_bytes())
            if labelled := tuple(_labelled(pages, truth, schema, source)):
                layouts.add(str(truth.get("layout", path.stem)))
                found.append((path.stem, labelled))
    return CorrectedPages(tuple(found), len(layouts), hash_of(files))


def _labelled(
    pages: Sequence[Page], truth: dict[str, Any], schema: DocumentSchema, source: CrfSource
) -> Iterator[Labelled]:
    places = list(_places(pages, truth, schema))
    claims = (truth["fields"].get("claims") or {}).get("value") or ()
    cells = claim_places(pages, claims)
    spoken = _spoken_of(truth, schema, places)
    said: dict[str, set[str]] = defaultdict(set)
    for place in places:
        role = role_of(place.field)
        page = next(p for p in pages if p.number == place.page)
        said[str(role)].update(_squashed(page.words[i].text) for i in place.words)
        said[str(role)].update(_squashed(part) for part in place.value.split())
    for page in pages:
        own = [place for place in places if place.page == page.number]
        own_cells = [cell for cell in cells if cell.page == page.number]
        if not own and not own_cells:
            continue
        roles = _roles_by_tagger(page, source)
        for index, role in enumerate(roles):
            whole = _PARTS.get(role, role)
            repeats = _squashed(page.words[index].text) in said[whole]
            if whole in spoken and not repeats:
                roles[index] = OUTSIDE
        parties, spans = [""] * len(roles), [0] * len(roles)
        for number, place in enumerate(own, 1):
            role = str(role_of(place.field))
            value = {_squashed(part) for part in place.value.split()}
            for index in place.words:
                if _keeps(roles[index], role, _squashed(page.words[index].text) in value):
                    continue
                roles[index] = role
                parties[index], spans[index] = place.field.party or "", number
        for number, cell in enumerate(own_cells, len(own) + 1):
            for index in cell.words:
                if spans[index] or _keeps(roles[index], cell.role, in_value=True):
                    continue
                roles[index], parties[index], spans[index] = cell.role, cell.party, number
        yield Labelled(page, tuple(roles), tuple(parties), tuple(spans))


def _keeps(now: str, role: str, in_value: bool) -> bool:  # noqa: FBT001 - what the word itself is
    """Whether a word inside a value's box keeps what the tagger says of it."""
    if _PARTS.get(now) == role:
        return True  # a name in boxes: first and last name are told apart
    return now in NOT_VALUES - {OUTSIDE} and not in_value


def _spoken_of(
    truth: dict[str, Any], schema: DocumentSchema, places: Sequence[_Place]
) -> frozenset[str]:
    """Roles of which the person named every place: all fields of the role are answered."""
    located = {place.field.name for place in places}
    answered: dict[str, list[bool]] = defaultdict(list)
    for field in schema.fields:
        role = role_of(field)
        if role is None:
            continue
        entry = truth["fields"].get(field.name)
        if entry is None:
            answered[role].append(bool(truth.get("complete")))
        else:
            answered[role].append(entry["value"] is None or field.name in located)
    return frozenset(role for role, all_told in answered.items() if all(all_told))


def _roles_by_tagger(page: Page, source: CrfSource) -> list[str]:
    view = PageView(page)
    tags, _ = source.tag(view)
    roles = [OUTSIDE] * len(page.words)
    place = {word.id: index for index, word in enumerate(page.words)}
    for token_index, tag in tags.items():
        index = view.tokens[token_index].word
        index = place.get(index, index)
        # Of a label and a value read as one word the value counts; training cuts the label off.
        if roles[index] in NOT_VALUES:
            roles[index] = tag
    return roles


def _places(
    pages: Sequence[Page], truth: dict[str, Any], schema: DocumentSchema
) -> Iterator[_Place]:
    by_number = {page.number: page for page in pages}
    for name, entry in truth["fields"].items():
        field = schema.field(name)
        if field is None or field.kind is Kind.PRESENCE or role_of(field) is None:
            continue
        for told in entry.get("places", ()):
            page = by_number.get(told["page"]) if told.get("page") else None
            if page is not None and told.get("box"):
                words = _under(page, Box(*told["box"]))
                if words:
                    yield _Place(field, page.number, words, told["value"])
            else:
                yield from _found(pages, field, told["value"])


def _under(page: Page, box: Box) -> tuple[int, ...]:
    wide = Box(box.x0 - _MARGIN, box.y0 - _MARGIN, box.x1 + _MARGIN, box.y1 + _MARGIN)
    return tuple(
        index for index, word in enumerate(page.words) if wide.contains(word.box.cx, word.box.cy)
    )


def _found(pages: Sequence[Page], field: FieldSchema, value: str) -> Iterator[_Place]:
    """The only place where a value is printed; none when there are several or none."""
    found: list[_Place] = []
    wanted = _squashed(value)
    for page in pages:
        for first, word in enumerate(page.words):
            if not _squashed(word.text):
                continue
            run: list[Word] = []
            for other in page.words[first : first + _MOST_WORDS]:
                if other.line != word.line:
                    break
                run.append(other)
                text = " ".join(w.text for w in run).strip(" ,;:")
                same = _squashed(text) == wanted
                if same or (_worth_parsing(field, text) and _parses(field, text, value)):
                    words = tuple(range(first, first + len(run)))
                    found.append(_Place(field, page.number, words, value))
                    break
    if len(found) == 1:
        yield found[0]


def _worth_parsing(field: FieldSchema, text: str) -> bool:
    return field.kind in (Kind.DATE, Kind.PHONE, Kind.MONEY) and any(c.isdigit() for c in text)


def _parses(field: FieldSchema, text: str, value: str) -> bool:
    parsed = parse(field.kind, text)
    return parsed.valid and parsed.value == value


def _squashed(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def main() -> int:
    """Command line: the labelled pages as files of :mod:`training.labelled`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", type=Path, action="append", required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--schemas", type=Path, help="folder of own document types")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    found = corrected_pages(options.dataset, options.models, options.schemas)
    for name, pages in found.by_document:
        write_labelled(options.out / f"{name}.json", pages)
    sys.stdout.write(f"{len(found.pages)} pages of {found.documents} documents\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
