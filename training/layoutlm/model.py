# SPDX-License-Identifier: Apache-2.0
"""The network: stock LayoutLM of ``transformers``, MiniLM's weights, one small table of hints.

LayoutLM takes ready embeddings of its positions (``inputs_embeds``), pattern classes as
``token_type_ids`` and boxes; all that is added here is how the embedding of a token is made: the
mean of its word pieces' and the sum of its hints'.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import LayoutLMConfig, LayoutLMForTokenClassification

from idp.extract.layoutlm_inputs import POSITIONS

HIDDEN, HEADS, INNER, MOST_LAYERS = 384, 12, 1536, 6
_SMALL = 0.02


class Tagger(nn.Module):  # type: ignore[misc]
    """LayoutLM that reads word pieces, boxes, pattern classes and hints, and answers logits.

    Args:
        pieces: Size of the vocabulary.
        patterns: How many pattern classes.
        hints: How many hints; row 0 is no hint and stays zero.
        labels: How many labels.
        layers: The first so many of MiniLM's six.
        pad: The padding piece's row.
    """

    def __init__(
        self, *, pieces: int, patterns: int, hints: int, labels: int, layers: int, pad: int = 0
    ) -> None:
        super().__init__()
        config = LayoutLMConfig(
            vocab_size=pieces,
            hidden_size=HIDDEN,
            num_hidden_layers=layers,
            num_attention_heads=HEADS,
            intermediate_size=INNER,
            max_position_embeddings=POSITIONS,
            max_2d_position_embeddings=1024,
            type_vocab_size=patterns,
            num_labels=labels,
            pad_token_id=pad,
            hidden_dropout_prob=0.1,
            attention_probs_dropout_prob=0.0,  # a seventh of the time, and pages never repeat
        )
        self.stock = LayoutLMForTokenClassification(config)
        self.hints = nn.Embedding(hints, HIDDEN, padding_idx=0)
        self.pad = pad
        embeddings = self.stock.layoutlm.embeddings
        with torch.no_grad():
            nn.init.normal_(self.hints.weight, std=_SMALL)
            self.hints.weight[0].zero_()
            for table in ("x", "y", "h", "w"):
                weight = getattr(embeddings, f"{table}_position_embeddings").weight
                weight.copy_(_waves(*weight.shape) * _SMALL)

    def forward(  # noqa: PLR0917 - exported by place
        self,
        pieces: torch.Tensor,
        boxes: torch.Tensor,
        patterns: torch.Tensor,
        hints: torch.Tensor,
        mask: torch.Tensor,
        positions: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Logits (batch, positions, labels) of windows padded to one length; mask 1 is a token."""
        known = (pieces != self.pad).to(self.hints.weight.dtype)
        words = self.stock.get_input_embeddings()(pieces)
        mean = (words * known[..., None]).sum(2) / known.sum(2).clamp(min=1.0)[..., None]
        told = self.hints(hints).sum(2)
        answer = self.stock(
            inputs_embeds=mean + told,
            bbox=boxes,
            token_type_ids=patterns,
            attention_mask=mask,
            position_ids=positions,
        )
        logits: torch.Tensor = answer.logits
        return logits


def _waves(rows: int, width: int) -> torch.Tensor:
    """Sines and cosines of the row: neighbouring places of a page begin as neighbours."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(1000.0) / width))
    angles = torch.arange(rows)[:, None] * rates * (2 * math.pi / 250)
    return torch.stack([angles.sin(), angles.cos()], 2).reshape(rows, width)


def with_minilm(model: Tagger, folder: Path, rows: Sequence[int]) -> int:
    """Copies MiniLM's weights into ``model``, of the vocabulary the given rows.

    Returns:
        How many tensors were copied.
    """
    from safetensors.torch import load_file  # noqa: PLC0415 - comes with transformers

    source: dict[str, torch.Tensor] = load_file(str(folder / "model.safetensors"))
    own = model.stock.layoutlm.state_dict()
    new: dict[str, torch.Tensor] = {}
    for name, value in source.items():
        if name == "embeddings.word_embeddings.weight":
            new[name] = value[torch.tensor(list(rows))]
        elif name == "embeddings.token_type_embeddings.weight":
            new[name] = value[:1].repeat(own[name].shape[0], 1)
        elif name in own and own[name].shape == value.shape:
            new[name] = value
    model.stock.layoutlm.load_state_dict(new, strict=False)
    return len(new)


def groups(model: Tagger, rate: float, fresh: float) -> list[dict[str, Any]]:
    """The optimiser's groups: MiniLM's weights learn at ``rate``, new ones at ``fresh``."""
    new = (
        "hints",
        "classifier",
        "x_position",
        "y_position",
        "h_position",
        "w_position",
        "token_type",
    )

    def chosen(*, is_new: bool, matrices: bool) -> list[nn.Parameter]:
        named: Iterable[tuple[str, nn.Parameter]] = model.named_parameters()
        return [
            p
            for name, p in named
            if "pooler" not in name
            and any(n in name for n in new) == is_new
            and (p.ndim > 1) == matrices
        ]

    return [
        {"params": chosen(is_new=is_new, matrices=m), "weight_decay": 0.01 * m, "peak": peak}
        for is_new, peak in ((False, rate), (True, fresh))
        for m in (True, False)
    ]
