# SPDX-License-Identifier: Apache-2.0
"""Windows of one length put together for the network."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from idp.extract.features import LabelTable
from idp.extract.layoutlm_inputs import POSITIONS, Numbers, PageEncoder
from training.layoutlm.data import IGNORED, Example, Stream, examples_at


class Batch(NamedTuple):
    """Windows padded to one length."""

    inputs: tuple[torch.Tensor, ...]
    goals: torch.Tensor


def collate(examples: Sequence[Example], pad: int, shifts: Sequence[int] | None = None) -> Batch:
    """A batch; ``shifts`` move the positions of each window, so that all of them are trained."""
    longest = max(len(e.goals) for e in examples)

    def stacked(arrays: Sequence[Numbers], filling: int) -> torch.Tensor:
        out = np.full((len(arrays), longest, *arrays[0].shape[1:]), filling, np.int64)
        for row, array in zip(out, arrays, strict=True):
            row[: len(array)] = array
        return torch.from_numpy(out)

    goals = stacked([e.goals for e in examples], IGNORED)
    mask = stacked([np.ones(len(e.goals), np.int64) for e in examples], 0)
    moved = torch.tensor(shifts if shifts is not None else [0] * len(examples))[:, None]
    positions = (torch.arange(longest)[None] + moved).clamp(max=POSITIONS - 1)
    windows = [e.window for e in examples]
    return Batch(
        (
            stacked([w.pieces for w in windows], pad),
            stacked([w.boxes for w in windows], 0),
            stacked([w.patterns for w in windows], 0),
            stacked([w.hints for w in windows], 0),
            mask,
            positions,
        ),
        goals,
    )


def batches(
    stream: Stream, start: int, encoder: PageEncoder, table: LabelTable, tokens: int
) -> Iterator[tuple[int, Batch]]:
    """Batches of at most ``tokens`` padded positions, from document ``start`` on, without end.

    Documents are taken in chunks whose windows are put together by length.

    Yields:
        The number of the first document of the next chunk, and a batch.
    """
    chunk = max(10, tokens // 25)
    while True:
        rng = random.Random(f"{stream.seed}/{start}/batches")  # noqa: S311
        found = [
            example
            for number in range(start, start + chunk)
            for example in examples_at(stream, number, encoder, table, forget=True)
        ]
        start += chunk
        found.sort(key=lambda e: len(e.goals) + rng.random())
        together: list[list[Example]] = [[]]
        for example in found:
            if (len(together[-1]) + 1) * len(example.goals) > tokens and together[-1]:
                together.append([])
            together[-1].append(example)
        rng.shuffle(together)
        for group in together:
            shifts = [rng.randint(0, POSITIONS - len(e.goals)) for e in group]
            yield start, collate(group, encoder.words.pad, shifts)
