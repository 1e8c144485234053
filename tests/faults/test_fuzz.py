# SPDX-License-Identifier: Apache-2.0
"""A short run of the fuzzer over every border; ``python -m tests.faults.fuzz`` runs a long one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from idp.errors import InputError
from idp.ingest.unpack_pdf import open_pdf
from tests.faults.fuzz import LIMITS, borders, fuzz, pdf, scrambled

INPUTS = 300


@pytest.mark.parametrize("border", borders())
def test_mutated_files_end_in_what_they_hold_or_in_a_coded_error(
    border: str, tmp_path: Path
) -> None:
    tally = fuzz(border, INPUTS, seed=20261122, keep=tmp_path)
    assert tally.inputs == INPUTS
    assert tally.unhandled == []
    assert set(tally.outcomes) > {"opened"}


def test_a_broken_pdf_is_never_one_with_fewer_pages(tmp_path: Path) -> None:
    """Whatever is repaired: as many pages as the whole file has, or an error."""
    opened = 0
    for seed, whole in enumerate(pdf.seeds()[:5]):
        (tmp_path / "file").write_bytes(whole)
        pages = len(open_pdf(tmp_path / "file", tmp_path, LIMITS).pages)
        for number in range(30):
            dice = random.Random(f"fewer/{seed}/{number}")
            broken = pdf.mutate(whole, dice) if number % 2 else scrambled(whole, dice, [whole])
            (tmp_path / "file").write_bytes(broken)
            try:
                found = open_pdf(tmp_path / "file", tmp_path, LIMITS)
            except InputError:
                continue
            assert len(found.pages) >= pages, (seed, number)
            opened += 1
    assert opened > 20
