# SPDX-License-Identifier: Apache-2.0
"""The sample set: which documents, in which format, with which flaws."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from reportlab.lib.pagesizes import landscape, letter
from reportlab.lib.pdfencrypt import StandardEncryption

from idp.document import DocumentType
from idp.samples import forms, replies
from idp.samples.fax import FINE, STANDARD, FaxQuality, fax
from idp.samples.forms import Truth
from idp.samples.people import Registry
from idp.samples.sheet import Sheet

DEFAULT_DAY = dt.date(2026, 11, 16)

_Draw = Callable[[Sheet, Registry, dt.date], Truth]


class _Recipe(NamedTuple):
    """How one sample is made."""

    name: str
    type: DocumentType
    draw: _Draw
    quality: FaxQuality | None = None
    rotate: int = 0
    wide: bool = False
    password: str | None = None
    keep_bytes: float = 1.0
    first_page: int = 1


class Sample(NamedTuple):
    """One sample file and what is written on it.

    ``readable`` is false where the file is broken or locked on purpose; ``first_page`` is the page
    on which the document begins (a cover sheet may stand before it).
    """

    path: Path
    type: DocumentType
    truth: Truth
    readable: bool
    first_page: int


def _cover_and_referral(sheet: Sheet, people: Registry, today: dt.date) -> Truth:
    forms.fax_cover(sheet, people, today, pages=2)
    sheet.page()
    return forms.referral_lines(sheet, people, today)


def _referral(*, complete: bool) -> _Draw:
    return lambda sheet, people, today: forms.referral_cells(
        sheet, people, today, complete=complete
    )


def _letter(*, approved: bool) -> _Draw:
    return lambda sheet, people, today: replies.determination_letter(
        sheet, people, today, approved=approved
    )


_G4_FINE = FINE._replace(compression="group4")

RECIPES = (
    _Recipe("01-referral.tif", DocumentType.REFERRAL, _referral(complete=True), FINE),
    _Recipe("02-referral-printed.pdf", DocumentType.REFERRAL, forms.referral_lines),
    _Recipe(
        "03-prior-auth-request.tif",
        DocumentType.PRIOR_AUTH_REQUEST,
        forms.prior_auth_request,
        _G4_FINE,
    ),
    _Recipe(
        "04-medication-request-upside-down.tif",
        DocumentType.PRIOR_AUTH_REQUEST,
        forms.medication_request,
        _G4_FINE,
        rotate=180,
    ),
    _Recipe(
        "05-approval-letter.pdf",
        DocumentType.PRIOR_AUTH_DETERMINATION,
        _letter(approved=True),
    ),
    _Recipe(
        "06-denial-letter-standard.tif",
        DocumentType.PRIOR_AUTH_DETERMINATION,
        _letter(approved=False),
        STANDARD,
    ),
    _Recipe("07-remittance.pdf", DocumentType.REMITTANCE_EOB, replies.remittance, wide=True),
    _Recipe("08-referral-incomplete.tif", DocumentType.REFERRAL, _referral(complete=False), FINE),
    _Recipe(
        "09-cover-and-referral.tif",
        DocumentType.REFERRAL,
        _cover_and_referral,
        _G4_FINE,
        first_page=2,
    ),
    _Recipe("10-lab-result.tif", DocumentType.OTHER, replies.lab_result, FINE),
    _Recipe(
        "11-locked.pdf",
        DocumentType.OTHER,
        forms.referral_lines,
        password="open-sesame",  # noqa: S106 - a sample that nobody can open, on purpose
    ),
    _Recipe(
        "12-cut-off.tif",
        DocumentType.OTHER,
        _referral(complete=True),
        _G4_FINE,
        keep_bytes=0.35,
    ),
)


def samples(
    folder: Path, seed: int = 7, today: dt.date = DEFAULT_DAY, names: set[str] | None = None
) -> list[Sample]:
    """Write the samples into ``folder`` and tell what is written on each.

    Each file appears whole: it is written beside and renamed, so a watched folder may be given.

    Args:
        folder: Where the files go; it is made when it is not there.
        seed: Another seed gives other people and numbers on the same forms.
        today: The day that the documents' dates are near.
        names: Only these files; by default all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, recipe in enumerate(RECIPES):
        if names is None or recipe.name in names:
            made.append(_make(folder, recipe, Registry(seed * 1000 + number), today))
    return made


def make_samples(folder: Path, seed: int = 7, today: dt.date = DEFAULT_DAY) -> list[Path]:
    """Write the samples into ``folder``; returns their paths in order of their names."""
    return [sample.path for sample in samples(folder, seed, today)]


def _make(folder: Path, recipe: _Recipe, people: Registry, today: dt.date) -> Sample:
    target = folder / recipe.name
    # Hidden and outside the drop folder's view until it is whole.
    with tempfile.TemporaryDirectory(prefix=".sample-", dir=folder) as work:
        drawn = Path(work) / "drawn.pdf"
        lock = StandardEncryption(recipe.password, strength=128) if recipe.password else None
        size = landscape(letter) if recipe.wide else letter
        sheet = Sheet(drawn, people.random, size, lock)
        truth = recipe.draw(sheet, people, today)
        sheet.save()
        finished = drawn
        if recipe.quality is not None:
            finished = Path(work) / "fax.tif"
            fax(drawn, finished, recipe.quality, people.random, rotate=recipe.rotate)
        if recipe.keep_bytes < 1:
            whole = finished.read_bytes()
            finished.write_bytes(whole[: int(len(whole) * recipe.keep_bytes)])
        with finished.open("rb") as stream:
            os.fsync(stream.fileno())
        finished.replace(target)
    readable = recipe.password is None and recipe.keep_bytes == 1
    return Sample(target, recipe.type, truth, readable, recipe.first_page)
