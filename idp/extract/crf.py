# SPDX-License-Identifier: Apache-2.0
"""The CRF as a source of values: geometry and label features, roles to fields.

The model is a file that ``training`` made and ``models/manifest.json`` describes; a file that is
not the one described there is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pycrfsuite

from idp.document import DocumentType
from idp.extract.crf_roles import label_roles
from idp.extract.features import LabelTable, PageView, page_features
from idp.extract.tagged import Chances, TaggedSource
from idp.extract.weights import ModelEntry, read_weights
from idp.extract.weights import load_entry as _load_entry
from idp.schemas import DocumentSchema, Lexicon

MODEL_NAME = "field_crf"
FEATURES_VERSION = 1
"""Raised whenever :mod:`idp.extract.features` changes what it gives; models name theirs."""


def load_entry(models: Path) -> ModelEntry:
    """The CRF's manifest entry; raises :class:`ModelError` when there is none."""
    return _load_entry(models, MODEL_NAME)


class CrfSource(TaggedSource):
    """Proposes what the CRF sees; gives all candidates, best first within a field.

    Args:
        models: Folder with ``manifest.json`` and the weights.
        schemas: All schemas; their labels tell the features what a label may introduce.
        lexicon: Not used: the features were trained on the schemas' labels.

    Raises:
        ModelError: The weights are missing or damaged.
    """

    name = "crf"

    def __init__(
        self,
        models: Path,
        schemas: Mapping[DocumentType, DocumentSchema],
        lexicon: Lexicon | None = None,
    ) -> None:
        del lexicon
        entry = load_entry(models)
        super().__init__(entry.version, LabelTable(label_roles(schemas)))
        # Kept: the tagger reads the weights in place.
        self._weights = read_weights(models, entry, FEATURES_VERSION)
        self._one_at_a_time = threading.Lock()  # the tagger holds the page between its calls
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open_inmemory(self._weights)
        self.labels = tuple(self._tagger.labels())

    def tag(self, view: PageView) -> tuple[dict[int, str], dict[int, float]]:
        """The role of each token and the marginal probability of that role."""
        if not view.order:
            return {}, {}
        features = page_features(view, self._table)
        with self._one_at_a_time:
            self._tagger.set(features)
            tags = dict(zip(view.order, self._tagger.tag(), strict=True))
            sure = {i: self._tagger.marginal(tags[i], n) for n, i in enumerate(view.order)}
        return tags, sure

    def probabilities(self, view: PageView) -> Chances:
        """The marginal probability of each label for each token."""
        found = np.zeros((len(view.order), len(self.labels)), np.float32)
        if not view.order:
            return found
        features = page_features(view, self._table)
        with self._one_at_a_time:
            self._tagger.set(features)
            marginal = self._tagger.marginal
            for column, label in enumerate(self.labels):
                found[:, column] = [marginal(label, row) for row in range(len(found))]
        return found
