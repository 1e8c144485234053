# SPDX-License-Identifier: Apache-2.0
"""The taggers there are, as one source: the CRF alone, or the CRF and LayoutLM together.

Two taggers of different kind err on different words. Together they answer the geometric mean of
their probabilities: a word both are sure of stays sure, one they differ on becomes doubtful, so
their agreement is part of every confidence. Two separate votes were tried and were worse: what
only one of them sees is wrong too often (``docs/models.md``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from idp.document import DocumentType
from idp.extract.crf import CrfSource
from idp.extract.crf_roles import label_roles
from idp.extract.features import LabelTable, PageView
from idp.extract.layoutlm import layoutlm_if_named
from idp.extract.tagged import Chances, TaggedSource, likeliest
from idp.schemas import DocumentSchema

_LEAST = 1e-6
"""No tagger rules a label out altogether."""


class TogetherSource(TaggedSource):
    """Several taggers that answer the weighted geometric mean of their probabilities.

    Args:
        members: The taggers.
        weights: How much each counts; they need not sum to one.
        table: What labels may introduce.
    """

    def __init__(
        self, members: Sequence[TaggedSource], weights: Sequence[float], table: LabelTable
    ) -> None:
        super().__init__("+".join(m.version for m in members), table)
        self.name = "+".join(m.name for m in members)
        self.labels = tuple(sorted({label for m in members for label in m.labels}))
        self._members = members
        self._shares = [w / sum(weights) for w in weights]
        places = {label: n for n, label in enumerate(self.labels)}
        self._columns = [[places[label] for label in m.labels] for m in members]

    def tag(self, view: PageView) -> tuple[dict[int, str], dict[int, float]]:
        """The likeliest role of each token and its probability."""
        return likeliest(view, self.labels, self.probabilities(view))

    def probabilities(self, view: PageView) -> Chances:
        """The probability of each label for each token; a label one never answers is unlikely."""
        total = np.zeros((len(view.order), len(self.labels)), np.float64)
        for member, share, columns in zip(self._members, self._shares, self._columns, strict=True):
            own = np.full(total.shape, _LEAST)
            own[:, columns] += member.probabilities(view)
            total += share * np.log(own)
        mean = np.exp(total)
        chances: Chances = (mean / mean.sum(1, keepdims=True)).astype(np.float32)
        return chances


def load_tagger(
    models: Path, schemas: Mapping[DocumentType, DocumentSchema], *, layoutlm: bool = True
) -> TaggedSource:
    """The CRF, together with LayoutLM where that is wanted and the manifest names it.

    Raises:
        ModelError: Weights that the manifest names are missing or damaged.
    """
    crf = CrfSource(models, schemas)
    other = layoutlm_if_named(models, schemas) if layoutlm else None
    if other is None:
        return crf
    return TogetherSource((crf, other), (1.0, 1.0), LabelTable(label_roles(schemas)))
