# SPDX-License-Identifier: Apache-2.0
"""What keeps the models improving: data sets of corrections, registry, gate, shadow, drift.

Door: what is named below. Nothing here trains or reads pages: training is a program of its own
(``training/``), and stages get models from :class:`idp.in_force.ModelsInForce`.
"""

from idp.learning.card import model_card
from idp.learning.dataset import LOCKED, TRAIN, make_dataset, set_sha256
from idp.learning.drift import Seen, Week, weeks
from idp.learning.files import hash_of, sha256_of, write_atomically
from idp.learning.gate import (
    Compared,
    Counts,
    Evaluation,
    FieldPair,
    Verdict,
    evaluate,
    judge,
)
from idp.learning.layouts import Layouts, likeness, signature
from idp.learning.registry import SHIPPED, Change, ModelRecord, Registry, Shadow
from idp.learning.shadow import ShadowReport, Tally, compare, is_drawn

__all__ = [
    "LOCKED",
    "SHIPPED",
    "TRAIN",
    "Change",
    "Compared",
    "Counts",
    "Evaluation",
    "FieldPair",
    "Layouts",
    "ModelRecord",
    "Registry",
    "Seen",
    "Shadow",
    "ShadowReport",
    "Tally",
    "Verdict",
    "Week",
    "compare",
    "evaluate",
    "hash_of",
    "is_drawn",
    "judge",
    "likeness",
    "make_dataset",
    "model_card",
    "set_sha256",
    "sha256_of",
    "signature",
    "weeks",
    "write_atomically",
]
