# SPDX-License-Identifier: Apache-2.0
"""How surely a document is known again when it is faxed twice, and never taken for another's.

python -m training.synthesise --count 40 --seed 5 --paper fine_dither,fine_threshold --out A
python -m training.synthesise --count 40 --seed 6 --paper fine_dither --out B
python -m training.likeness A/pages B/pages

Pages named ``NAME__VARIANT.json`` (or ``NAME.json``) are copies of one document; where NAME ends in
``_SEED``, documents that differ in it only are other people's copies of the same form.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from idp.classify import split
from idp.document import Document, Page
from idp.extract import Extractor
from idp.likeness import SAME, Traits, likeness, traits
from idp.schemas import load_lexicon, load_schemas
from idp.settings import load_settings

_PAGES = TypeAdapter(tuple[Page, ...])


class Copy(NamedTuple):
    """One reading of one document."""

    file: str
    document: str
    form: str
    traits: Traits


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", type=Path, nargs="+", help="folders of pages as read")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    settings = load_settings()
    schemas = load_schemas(settings.schemas_folder)
    extractor = Extractor(settings.models_folder, schemas, load_lexicon(), layoutlm=False)
    copies = []
    for path in sorted(file for folder in options.pages for file in folder.glob("*.json")):
        pages = _PAGES.validate_json(path.read_bytes())
        kind = split(pages, schemas)[0].type
        document = Document(
            document_id=path.stem,
            source=path.name,
            sha256="",
            channel="",
            type=kind,
            type_confidence=1.0,
            pages=tuple(page.number for page in pages),
            fields=extractor.extract(pages, kind).fields,
        )
        name = path.stem.split("__")[0]
        copies.append(Copy(path.stem, name, name.rpartition("_")[0], traits(document, pages)))
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(("pairs", "alike"), 0))
    for one, other in itertools.combinations(copies, 2):
        if one.document == other.document:
            kind_of_pair = "same document"
        elif one.form and one.form == other.form:
            kind_of_pair = "same form, another's copy"
        else:
            kind_of_pair = "other documents"
        met = not set(enumerate(one.traits.buckets())).isdisjoint(enumerate(other.traits.buckets()))
        found = met and likeness(one.traits, other.traits) >= SAME
        counts[kind_of_pair]["pairs"] += 1
        counts[kind_of_pair]["alike"] += found
        if found != (kind_of_pair == "same document") and not options.json:
            sys.stdout.write(f"{'alike' if found else 'missed'}: {one.file} {other.file}\n")
    if options.json:
        sys.stdout.write(json.dumps(counts) + "\n")
    else:
        for kind_of_pair, count in counts.items():
            sys.stdout.write(f"{kind_of_pair}: {count['alike']} of {count['pairs']} alike\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
