# SPDX-License-Identifier: Apache-2.0
"""Options of the verbs that train, each said once."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from idp.training_runs import Wanted


class TaggerChoice(StrEnum):
    """As :class:`idp.training_runs.Tagger`, which is too heavy for ``--help``."""

    CRF = "crf"
    LAYOUTLM = "layoutlm"
    BOTH = "both"


Datasets = Annotated[
    list[Path] | None,
    typer.Option(
        "--dataset", metavar="DIR", help="Data set of corrections; may be given more than once."
    ),
]
Tagger = Annotated[
    TaggerChoice,
    typer.Option(
        help="What is trained: the CRF, the LayoutLM tagger (`make install-train`), or both."
    ),
]
Documents = Annotated[int, typer.Option(min=1, help="Synthetic documents that the CRF learns too.")]
Families = Annotated[int, typer.Option(min=1, help="Layout families per type of those.")]
Iterations = Annotated[int, typer.Option(min=1, help="Steps of the CRF's training.")]
Shown = Annotated[
    int, typer.Option(min=1, help="Documents that the LayoutLM tagger is shown in all.")
]
Repeat = Annotated[int, typer.Option(min=1, max=100, help="Times each corrected page is shown.")]
Seed = Annotated[int, typer.Option(help="Of the synthetic documents.")]


def wanted(
    tagger: str, crf: Mapping[str, int], layoutlm: Mapping[str, int], both: Mapping[str, int]
) -> Wanted:
    """What is to be trained; what is not named stays as it is by default."""
    from idp.training_runs import CRF, LAYOUTLM, Tagger, Wanted  # noqa: PLC0415 - heavy

    return Wanted(Tagger(tagger), {**CRF, **crf, **both}, {**LAYOUTLM, **layoutlm, **both})
