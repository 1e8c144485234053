# SPDX-License-Identifier: Apache-2.0
"""Synthetic documents: pages as a reader sees them, with the truth about every word.

The door is :func:`make`. All people, numbers and addresses are fictitious.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from training.score import judged_fields
from training.synthesise.canvas import Canvas
from training.synthesise.eob import Remittance
from training.synthesise.family import Family
from training.synthesise.forms import Form
from training.synthesise.letters import Letter
from training.synthesise.noise import Labelled, draw_noise, read
from training.synthesise.others import OtherPage
from training.synthesise.values import Split

TYPES = (
    "prior_auth_request",
    "referral",
    "prior_auth_determination",
    "remittance_eob",
    "other",
)
FAMILIES = 100
"""Layout families per type for training."""


_LISTS = frozenset(
    {
        "diagnosis_codes",
        "diagnosis_descriptions",
        "procedure_codes",
        "service_descriptions",
        "service_start_date",
        "service_end_date",
        "units",
        "place_of_service",
        "medications_tried",
    }
)


class Made(NamedTuple):
    """One synthetic document."""

    name: str
    kind: str
    family: str
    pages: tuple[Labelled, ...]
    truth: dict[str, Any]


class Layout(NamedTuple):
    """One synthetic document as drawn, before anything reads it."""

    name: str
    kind: str
    family: str
    split: Split
    canvas: Canvas
    truth: dict[str, Any]
    rng: random.Random


@lru_cache(maxsize=4096)
def layout_of(kind: str, split: Split, index: int) -> Form | Letter | Remittance | OtherPage:
    """The layout of a family, ready to be drawn any number of times."""
    family = Family(kind, split, index)
    if kind in ("prior_auth_request", "referral"):
        return Form(family)
    if kind == "prior_auth_determination":
        return Letter(family)
    return Remittance(family) if kind == "remittance_eob" else OtherPage(family)


def truth_of(canvas: Canvas, kind: str, claims: list[dict[str, str]]) -> dict[str, Any]:
    """What was drawn, as a truth file says it; blank fields are ``null``."""
    table = judged_fields()
    several: dict[str, list[tuple[str, str]]] = {}
    pages: dict[str, int] = {}
    for value in canvas.values:
        name = table.canonical(value.field)
        several.setdefault(name, [])
        pages.setdefault(name, value.page)
        if value.text:
            several[name].append((value.field, value.text))
    fields: dict[str, Any] = {}
    for name, printed in several.items():
        # The day of a request and that of its signature are two values, though often one day.
        kept = printed if name in _LISTS else dict.fromkeys(printed)
        unique = [text for _, text in kept]
        value_of: Any = None if not unique else unique[0] if len(unique) == 1 else unique
        fields[name] = {"value": value_of, "page": pages[name]}
    if claims:
        fields["claims"] = {"value": claims, "page": 1}
    return {
        "doc_type": kind,
        "pages": len(canvas.sheets),
        "fields": fields,
        "file": "",
        "synthetic": True,
    }


def draw_one(kind: str, split: Split, index: int, seed: int) -> Layout:
    """The layout of one document of a family; the same arguments give the same one."""
    layout = layout_of(kind, split, index)
    rng = random.Random(f"{kind}/{split}/{index}/{seed}")  # noqa: S311 - not for secrets
    canvas = layout.draw(rng)
    claims = layout.claims if isinstance(layout, Remittance) else []
    name = f"{kind}_{split}_{index:03d}_{seed}"
    family = f"{kind}-{split}-{index}"
    return Layout(name, kind, family, split, canvas, truth_of(canvas, kind, claims), rng)


def make_one(kind: str, split: Split, index: int, seed: int) -> Made:
    """One document of a family, with invented reading errors (``render``: real ones)."""
    one = draw_one(kind, split, index, seed)
    pages = tuple(read(one.canvas, draw_noise(one.rng), one.rng))
    return Made(one.name, kind, one.family, pages, one.truth)


def make(
    split: Split,
    count: int,
    *,
    families: int = FAMILIES,
    types: Sequence[str] = TYPES,
    seed: int = 0,
) -> Iterator[Made]:
    """``count`` documents, taking turns through types and families."""
    for kind, index, own_seed in turns(count, families, types, seed):
        yield make_one(kind, split, index, own_seed)


def turns(
    count: int, families: int, types: Sequence[str], seed: int
) -> Iterator[tuple[str, int, int]]:
    """Type, family and seed of ``count`` documents."""
    for number in range(count):
        turn = number // len(types)
        yield types[number % len(types)], turn % families, seed + turn // families
