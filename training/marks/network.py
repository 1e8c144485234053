# SPDX-License-Identifier: Apache-2.0
"""The two networks that see check marks: one finds places on a page, one judges each of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional


class _Block(nn.Module):  # type: ignore[misc]
    """Looks around (each channel by itself), then mixes the channels."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.around = nn.Conv2d(
            channels, channels, 3, padding=dilation, dilation=dilation, groups=channels, bias=False
        )
        self.norm = nn.BatchNorm2d(channels)
        self.mix = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm_mix = nn.BatchNorm2d(channels)

    def forward(self, x: Any) -> Any:
        mixed = self.norm_mix(self.mix(functional.relu(self.norm(self.around(x)))))
        return functional.relu(x + mixed)


class Finder(nn.Module):  # type: ignore[misc]
    """From a page (1 channel, 0..1) to six layers at a quarter of its size.

    Logit of a middle, logit of being marked, offset of the middle in cells (x, y), log of width and
    height in units of ten pixels.
    """

    def __init__(self, first: int = 12, channels: int = 24) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, first, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.Conv2d(first, channels, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )
        self.blocks = nn.Sequential(*(_Block(channels, d) for d in (1, 2, 1, 3, 1)))
        self.head = nn.Conv2d(channels, 6, 1)
        nn.init.constant_(self.head.bias, 0.0)
        self.head.bias.data[0] = -4.0  # middles are rare

    def forward(self, x: Any) -> Any:
        return self.head(self.blocks(self.stem(x)))


class Judge(nn.Module):  # type: ignore[misc]
    """From a patch of 32 x 32 pixels and four facts to logits: nothing, empty, marked.

    The facts are log width and log height in units of ten pixels, and what the finder thought.
    """

    def __init__(self) -> None:
        super().__init__()
        self.eyes = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(24, 32, 3, padding=1), nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.verdict = nn.Sequential(
            nn.Linear(512 + 4, 48), nn.ReLU(), nn.Dropout(0.15), nn.Linear(48, 3)
        )

    def forward(self, x: Any, facts: Any) -> Any:
        return self.verdict(torch.cat([self.eyes(x).flatten(1), facts], 1))
