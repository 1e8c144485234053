# SPDX-License-Identifier: Apache-2.0
"""Finds the weights of the first-page evidence on generated stacks of the training families."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from idp.classify.boundaries import Seen, evidence
from idp.document import DocumentType
from idp.schemas import DocumentSchema
from training.stacks.make import Stack

FOR = frozenset(
    {
        "number_starts_over", "patient_other_twice", "title_of_another_kind", "type_other_clearly",
        "number_was_last", "number_stops", "patient_other", "print_of_first",
        "print_of_first_mostly", "numbers_all_new", "title_at_top", "title_of_a_type", "type_other",
        "type_other_kind", "behind_a_cover", "is_a_cover", "closed", "ended_early", "opening",
        "letter", "birth_printed", "other_size_of_print", "other_margin", "first_line_large",
        "about_a_patient", "name_printed", "title_of_first_at_its_place",
    }
)  # fmt: skip
"""Evidence that must not speak against a cut, whatever chance says."""

AGAINST = frozenset(
    {
        "number_follows", "number_fits_place", "number_inside", "number_was_not_last",
        "sentence_runs_over", "begins_small", "continued", "items_go_on", "form_code_again",
        "enclosed", "numbers_shared", "few_words", "type_unclear", "patient_unnamed",
        "remittance_goes_on",
    }
)  # fmt: skip
"""Evidence that must not speak for a cut."""

AT_LEAST = {
    "number_starts_over": 3.0,
    "number_follows": -4.0,
    "number_fits_place": -3.5,
    "items_go_on": -1.0,
    "patient_other": 3.0,
    "title_of_another_kind": 2.0,
    "type_other": 3.0,
    "type_other_clearly": 1.5,
}
"""What is known to say much, however rarely generated stacks show it: the least that it weighs."""

PENALTY = 0.4
"""Of the squared weights: what is rarely seen gets no great weight."""

Example = tuple[dict[str, float], bool]


def seen_documents(
    stacks: Iterable[Stack], schemas: Mapping[DocumentType, DocumentSchema]
) -> list[list[list[Seen]]]:
    """The pages of each document of each stack as cutting sees them; blank sheets are left out."""
    found = []
    for stack in stacks:
        documents: list[list[Seen]] = []
        for numbers in stack.documents:
            documents.append([])
            for number in numbers:
                documents[-1].append(Seen(stack.pages[number - 1], schemas))
        found.append(documents)
    return found


def examples(stacks: Iterable[Sequence[Sequence[Seen]]]) -> list[Example]:
    """Evidence and truth for each page but the first of every stack."""
    found: list[Example] = []
    for documents in stacks:
        for place, document in enumerate(documents):
            for at, seen in enumerate(document):
                before = document[:at] or (documents[place - 1] if place else [])
                if before:
                    found.append((evidence(before, seen), at == 0))
    return found


def fit(seen: Sequence[Example]) -> dict[str, float]:
    """The weights that make the truth of the examples most likely, signs held."""
    names = sorted({name for found, _ in seen for name in found})
    table = np.array([[1.0, *(found.get(name, 0.0) for name in names)] for found, _ in seen])
    truth = np.array([1.0 if begins else 0.0 for _, begins in seen])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        points = table @ weights
        held = weights.copy()
        held[0] = 0.0
        value = np.logaddexp(0.0, points).sum() - truth @ points + PENALTY * held @ held / 2
        slope = table.T @ (1 / (1 + np.exp(-points)) - truth) + PENALTY * held
        return float(value), slope

    bounds = [(None, None), *(_bounds(name) for name in names)]
    best = minimize(
        loss,
        np.array([sum(b for b in pair if b is not None) for pair in bounds]),
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options={"maxiter": 500},
    )
    return {
        "always": round(float(best.x[0]), 3),
        **{n: round(float(w), 3) for n, w in zip(names, best.x[1:], strict=True)},
    }


def _bounds(name: str) -> tuple[float | None, float | None]:
    """Between what a piece of evidence may weigh."""
    least = AT_LEAST.get(name, 0.0)
    if name in FOR:
        return max(0.0, least), None
    if name in AGAINST:
        return None, min(0.0, least)
    return None, None


def write_weights(target: Path, weights: Mapping[str, float]) -> None:
    """Writes the weights as the appliance reads them, whole or not at all."""
    text = "# SPDX-License-Identifier: Apache-2.0\n" + _HEAD
    text += "".join(f"{name}: {weight}\n" for name, weight in weights.items())
    part = target.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(target)


_HEAD = """\
# How much each piece of evidence (idp/classify/boundaries.py) speaks for another document's
# beginning, in log odds; `always` is where a page starts from. Written by
# `python -m training.stacks --fit`.
"""
