# SPDX-License-Identifier: Apache-2.0
"""The LayoutLM tagger as a source of values, run by ONNX Runtime on one thread.

One file holds the graph and, in its metadata, the vocabulary, pattern classes, hints and labels it
was trained with. ``models/manifest.json`` describes it; where that names none, there is no such
source and the CRF votes alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime

from idp.document import DocumentType
from idp.errors import ModelError
from idp.extract.crf_roles import label_roles
from idp.extract.features import LabelTable, PageView
from idp.extract.layoutlm_inputs import INPUTS_VERSION, PageEncoder, owners
from idp.extract.tagged import Chances, TaggedSource, likeliest
from idp.extract.weights import is_named, load_entry, read_weights
from idp.schemas import DocumentSchema

MODEL_NAME = "field_layoutlm"
_LISTS = ("vocabulary", "patterns", "hints", "labels")


class LayoutLmSource(TaggedSource):
    """Proposes what the LayoutLM tagger sees; all candidates, best first within a field.

    Args:
        models: Folder with ``manifest.json`` and the weights.
        schemas: All schemas; their labels tell the hints what a label may introduce.

    Raises:
        ModelError: The weights are missing or damaged.
    """

    name = "layoutlm"

    def __init__(self, models: Path, schemas: Mapping[DocumentType, DocumentSchema]) -> None:
        entry = load_entry(models, MODEL_NAME)
        super().__init__(entry.version, LabelTable(label_roles(schemas)))
        content = read_weights(models, entry, INPUTS_VERSION)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
            said = self._session.get_modelmeta().custom_metadata_map
            lists = {name: said[name].split("\n") for name in _LISTS}
            self._temperature = float(said["temperature"])
        except Exception as error:  # the runtime's own errors share no base class
            raise ModelError(f"{entry.file} is no LayoutLM tagger") from error
        self.labels = tuple(lists["labels"])
        self._encoder = PageEncoder(lists["vocabulary"], lists["patterns"], lists["hints"])

    def tag(self, view: PageView) -> tuple[dict[int, str], dict[int, float]]:
        """The likeliest role of each token and its probability."""
        return likeliest(view, self.labels, self.probabilities(view))

    def probabilities(self, view: PageView) -> Chances:
        """The probability of each label for each token.

        Windows overlap; a token is judged by the one whose edges are farthest from it.
        """
        page = self._encoder.encode(view, self._table)
        windows = list(self._encoder.windows(page)) if len(page) else []
        judge = owners([range(w.first, w.end) for w in windows], len(page))
        chances = np.zeros((len(page), len(self.labels)), np.float32)
        for number, window in enumerate(windows):
            (logits,) = self._session.run(
                None,
                {
                    "pieces": window.pieces[None],
                    "boxes": window.boxes[None],
                    "patterns": window.patterns[None],
                    "hints": window.hints[None],
                },
            )
            own = [p for p in range(window.first, window.end) if judge[p] == number]
            chosen = logits[0][[p - window.first + 1 for p in own]] / self._temperature
            chosen = np.exp(chosen - chosen.max(1, keepdims=True))
            chances[own] = chosen / chosen.sum(1, keepdims=True)
        return chances


def layoutlm_if_named(
    models: Path, schemas: Mapping[DocumentType, DocumentSchema]
) -> LayoutLmSource | None:
    """The source, or ``None`` where the manifest names no such model.

    Raises:
        ModelError: The manifest names one that is missing or damaged.
    """
    return LayoutLmSource(models, schemas) if is_named(models, MODEL_NAME) else None
