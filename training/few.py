# SPDX-License-Identifier: Apache-2.0
"""What twenty corrected copies of an unseen layout bring, without training (``idp forms learn``).

    python -m training.few --layouts 4 --copies 20

Generated layouts that no training saw (synthetic, invented reading errors): some copies are
corrected by the truth, a form is learnt from them, new copies judge; beside them the score on
layouts that training saw, and how many pages of other layouts are taken for one of those.
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

from idp.document import DocumentType, Page, union_of
from idp.extract import Extractor
from idp.extract.crf_roles import role_of
from idp.forms import BlankForm, Copy, KnownValue, learn
from idp.forms.recognise import Recogniser
from idp.registration import TICKED
from idp.schemas import DocumentSchema, load_lexicon, load_schemas
from training.manifest import MODELS
from training.score import score_file
from training.synthesise import Layout, draw_one
from training.synthesise.noise import Labelled, draw_noise, read
from training.synthesise.values import Split

_CORRECTED, _JUDGED, _SEEN, _STRANGE = 100, 200, 300, 5
"""First seeds of the copies that are corrected, judged, of seen layouts and of other layouts."""
_OTHERS = range(10, 40)


class Filled(NamedTuple):
    """One generated document and its pages as read."""

    layout: Layout
    pages: list[Labelled]


class Tally(NamedTuple):
    """Right values, values that are printed, values that were found."""

    right: int = 0
    printed: int = 0
    found: int = 0

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, self.printed + self.found)

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(*(a + b for a, b in zip(self, other, strict=True)))


def filled(kind: str, split: Split, family: int, seeds: range) -> Iterator[Filled]:
    """Copies of one layout."""
    for seed in seeds:
        layout = draw_one(kind, split, family, seed)
        yield Filled(layout, read(layout.canvas, draw_noise(layout.rng), layout.rng))


def corrected(one: Filled, schema: DocumentSchema) -> Copy:
    """The document as a person who knows the truth leaves it: each value and where it stands."""
    known: list[KnownValue] = []
    for value in one.layout.canvas.values:
        field = schema.field(value.field)
        if field is None or not value.text:
            continue
        labelled = one.pages[value.page - 1]
        runs = defaultdict(list)
        for word, span, role in zip(
            labelled.page.words, labelled.spans, labelled.roles, strict=True
        ):
            if span and role == role_of(field):
                runs[span].append(word)
        for words in runs.values():
            if _plain(" ".join(w.text for w in words)).endswith(_plain(value.text)):
                box = union_of([w.box for w in words])
                known.append(KnownValue(value.field, value.page, box))
                break
    return Copy(tuple(p.page for p in one.pages), tuple(known))


def judge(
    documents: Sequence[Filled], kind: str, extractor: Extractor, known: Recogniser | None = None
) -> Tally:
    """Core fields found on the documents, their types given."""
    tally = Tally()
    for one in documents:
        pages: list[Page] = [p.page for p in one.pages]
        if known is not None:
            pages = [p.model_copy(update={"form": known.recognise(p)}) for p in pages]
        fields = extractor.extract(pages, DocumentType(kind)).fields
        output: dict[str, Any] = {
            "type": kind, "type_confidence": 1.0, "pages": [p.number for p in pages],
            "decision": "review", "missing": [], "claims": [],
            "fields": [
                {"name": f.name, "value": f.value, "confidence": f.confidence} for f in fields
            ],
        }  # fmt: skip
        scored, _ = score_file(one.layout.truth, [output], stem=one.layout.name, variant="read")
        for value in (v for document in scored for v in document.values):
            tally = tally.plus(
                Tally(value.outcome == "ok", value.truth is not None, value.found is not None)
            )
    return tally


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def say(figures: dict[str, Any]) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--types", default="prior_auth_request,referral,prior_auth_determination")
    parser.add_argument("--layouts", type=int, default=4, help="of each type")
    parser.add_argument("--copies", type=int, default=20, help="corrected copies of each layout")
    parser.add_argument("--judged", type=int, default=6, help="new copies of each layout")
    parser.add_argument("--models", type=Path, default=MODELS)
    options = parser.parse_args()
    schemas = load_schemas()
    extractor = Extractor(options.models, schemas, load_lexicon())
    total: dict[str, Tally] = defaultdict(Tally)
    forms: list[BlankForm] = []
    kinds = options.types.split(",")
    for kind in kinds:
        schema = schemas[DocumentType(kind)]
        fields = {f.name for f in schema.fields if not f.list and f.kind not in TICKED}
        for family in range(options.layouts):
            seeds = range(_CORRECTED, _CORRECTED + options.copies)
            copies = [corrected(one, schema) for one in filled(kind, "heldout", family, seeds)]
            form = learn(f"learnt-{kind}-{family}", schema.type, copies, fields)
            new = list(filled(kind, "heldout", family, range(_JUDGED, _JUDGED + options.judged)))
            seen = list(filled(kind, "train", family, range(_SEEN, _SEEN + options.judged)))
            own = {
                "unseen": judge(new, kind, extractor),
                "learnt": judge(new, kind, extractor, Recogniser([form] if form else [])),
                "seen": judge(seen, kind, extractor),
            }
            forms += [form] if form else []
            for name, tally in own.items():
                total[name] = total[name].plus(tally)
            figures = {name: round(tally.f1, 3) for name, tally in own.items()}
            places = len(form.places) if form else 0
            say({"layout": f"{kind}-{family}", "places": places, **figures})
    known = Recogniser(forms)
    strangers = [
        page.page
        for kind in kinds
        for family in _OTHERS
        for one in filled(kind, "heldout", family, range(_STRANGE, _STRANGE + 1))
        for page in one.pages
    ]
    wrong = sum(known.recognise(page) is not None for page in strangers)
    unseen, learnt, seen_ = (total[name].f1 for name in ("unseen", "learnt", "seen"))
    say(
        {
            "unseen": round(unseen, 4),
            "learnt": round(learnt, 4),
            "seen": round(seen_, 4),
            "share_of_gap_closed": round((learnt - unseen) / max(1e-9, seen_ - unseen), 3),
            "pages_of_other_layouts": len(strangers),
            "taken_for_a_learnt_one": wrong,
        }
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
