# SPDX-License-Identifier: Apache-2.0
"""``python -m training.marks``: draws pages, trains finder and judge, writes them as ONNX."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from idp.read import boxes
from training.marks.network import Finder, Judge
from training.marks.sheets import Sheet, sheets

_CROP, _CROPS = 128, 16
_STRIDE = 4
_CELLS = _CROP // _STRIDE
_PATCHES = 128
_MOST_NOTHING = 45  # of a page's places that are no marks
_LEAST = 0.15
_SAME, _APART = 0.5, 0.15
"""Shares of common area from which on a place is a mark, and up to which it is none."""

Array = NDArray[np.float32]


def main() -> None:
    """Trains both networks and writes them beside the code that runs them."""
    parser = argparse.ArgumentParser(prog="python -m training.marks", description=__doc__)
    parser.add_argument("--pages", type=int, default=900)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=20, help="for the finder; judge: half")
    parser.add_argument("--out", type=Path, default=Path(boxes.__file__).parent)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    drawn = list(sheets(options.pages, options.seed))
    rng = np.random.default_rng(options.seed)
    finder = train_finder(drawn, 60 * options.minutes, rng)
    export_finder(finder, options.out / boxes.FINDER)
    judge = train_judge(*places(drawn, options.out / boxes.FINDER, rng), 30 * options.minutes, rng)
    export_judge(judge, options.out / boxes.JUDGE)


def train_finder(drawn: Sequence[Sheet], seconds: float, rng: np.random.Generator) -> Finder:
    """Crops of pages, more often around marks; as long as there is time."""
    network = Finder()
    network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=1e-4)
    started, step = time.monotonic(), 0
    while (done := (time.monotonic() - started) / seconds) < 1:
        _set_rate(optimiser, 3e-3 * min(1.0, done / 0.05) * (0.5 + 0.5 * math.cos(math.pi * done)))
        crops = [_crop(drawn[int(rng.integers(len(drawn)))], rng) for _ in range(_CROPS)]
        goals = [_goal(marks, unclear) for _, marks, unclear in crops]
        seen = network(torch.from_numpy(np.stack([crop[0] for crop in crops])[:, None]))
        loss = _finder_loss(
            seen, *(torch.from_numpy(np.stack(g)) for g in zip(*goals, strict=True))
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        step += 1
        if step % 100 == 0:
            sys.stderr.write(f"finder {step} {loss.item():.3f}\n")
    return network


def _set_rate(optimiser: Any, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = max(rate, 1e-5)


def _crop(sheet: Sheet, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """A square of the page, perhaps mirrored, fainter or noisier; its marks; what is unclear."""
    height, width = sheet.coarse.shape
    if len(sheet.marks) and rng.random() < 0.55:
        x0, y0, x1, y1, _ = sheet.marks[rng.integers(len(sheet.marks))]
        left = int((x0 + x1) / 2 - rng.uniform(0.15, 0.85) * _CROP)
        top = int((y0 + y1) / 2 - rng.uniform(0.15, 0.85) * _CROP)
    else:
        left = int(rng.integers(max(1, width - _CROP)))
        top = int(rng.integers(max(1, height - _CROP)))
    left, top = max(0, min(left, width - _CROP)), max(0, min(top, height - _CROP))
    patch = np.zeros((_CROP, _CROP), np.uint8)
    piece = sheet.coarse[top : top + _CROP, left : left + _CROP]
    patch[: piece.shape[0], : piece.shape[1]] = piece
    marks = sheet.marks - np.array([left, top, left, top, 0], np.float32)
    unclear = sheet.unclear - np.array([left, top, left, top], np.float32)
    if rng.random() < 0.5:
        patch = patch[:, ::-1]
        for places_ in (marks, unclear):
            places_[:, [0, 2]] = _CROP - places_[:, [2, 0]]
    image = boxes.LIGHTNESS[patch]
    if rng.random() < 0.4:
        image = image * np.float32(rng.uniform(0.6, 1.0))
    if rng.random() < 0.3:
        image = image + rng.normal(0, 0.03, image.shape).astype(np.float32)
    return image.astype(np.float32), marks, unclear


def _goal(marks: Array, unclear: Array) -> tuple[Array, Array, Array, Array, Array]:
    """What the finder should say: heat, where it counts, where a mark is, its state and place."""
    ys, xs = np.mgrid[0:_CELLS, 0:_CELLS] + 0.5
    heat, counts = np.zeros((_CELLS, _CELLS)), np.ones((_CELLS, _CELLS))
    there, state = np.zeros((_CELLS, _CELLS)), np.zeros((_CELLS, _CELLS))
    place, nearest = np.zeros((4, _CELLS, _CELLS)), np.full((_CELLS, _CELLS), np.inf)
    for x0, y0, x1, y1 in unclear / _STRIDE:
        counts[max(0, int(y0)) : max(0, math.ceil(y1)), max(0, int(x0)) : max(0, math.ceil(x1))] = 0
    for x0, y0, x1, y1, checked in marks:
        cx, cy, w, h = (x0 + x1) / 2 / _STRIDE, (y0 + y1) / 2 / _STRIDE, x1 - x0, y1 - y0
        if not (-1 < cx < _CELLS + 1 and -1 < cy < _CELLS + 1):
            continue
        away = ((xs - cx) / max(0.8, w / 16)) ** 2 + ((ys - cy) / max(0.8, h / 16)) ** 2
        heat = np.maximum(heat, np.exp(-away / 2))
        cut = x0 < 0 or y0 < 0 or x1 > _CROP or y1 > _CROP
        if cut:
            counts[away < 6] = 0
        mine = (away < 1.2) & (away < nearest)
        if 0 <= cy < _CELLS and 0 <= cx < _CELLS:
            middle = int(cy), int(cx)
            heat[middle], mine[middle], counts[middle] = 1, True, 0 if cut else 1
        nearest = np.where(mine, away, nearest)
        there[mine], state[mine] = 1, checked
        place[0][mine], place[1][mine] = (cx - xs)[mine], (cy - ys)[mine]
        place[2][mine], place[3][mine] = math.log(max(2, w) / 10), math.log(max(2, h) / 10)
    return tuple(v.astype(np.float32) for v in (heat, counts, there, state, place))  # type: ignore[return-value]


def _finder_loss(  # noqa: PLR0917
    seen: Any, heat: Any, counts: Any, there: Any, state: Any, place: Any
) -> Any:
    """Focal loss of the middles (as in CornerNet, Law and Deng 2018); state and place on marks."""
    p = torch.sigmoid(seen[:, 0]).clamp(1e-5, 1 - 1e-5)
    middle = (heat >= 0.999).float()
    focal = -(
        middle * (1 - p) ** 2 * torch.log(p)
        + (1 - middle) * (1 - heat) ** 4 * p**2 * torch.log(1 - p)
    )
    found = (focal * counts).sum() / middle.sum().clamp(min=1)
    there = there * counts
    number = there.sum().clamp(min=1)
    states = functional.binary_cross_entropy_with_logits(seen[:, 1], state, reduction="none")
    places_ = functional.smooth_l1_loss(seen[:, 2:6], place, reduction="none", beta=0.1)
    weight = torch.tensor([0.5, 0.5, 1.0, 1.0])[:, None, None]
    return (
        found
        + 0.7 * (states * there).sum() / number
        + (places_ * weight * there[:, None]).sum() / number
    )


def places(
    drawn: Sequence[Sheet], finder: Path, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], Array, NDArray[np.int64]]:
    """What the finder proposes on the pages: patches, facts, and what they are (0, 1 or 2)."""
    patches: list[NDArray[np.uint8]] = []
    facts: list[Array] = []
    kinds: list[int] = []
    for sheet in drawn:
        seen = [(box, _kind(box, sheet)) for box in boxes.proposed(sheet.coarse, finder)]
        seen += _missed(sheet, [box for box, _ in seen])
        nothing = [pair for pair in seen if pair[1] == 0][:_MOST_NOTHING]
        for box, kind in [*nothing, *(pair for pair in seen if (pair[1] or 0) > 0)]:
            for moved in (box, _jittered(box, rng)):
                patches.append(boxes.patch_of(sheet.coarse, moved))
                facts.append(boxes.facts_of(moved))
                kinds.append(kind or 0)
    return np.stack(patches), np.stack(facts), np.array(kinds)


def _missed(
    sheet: Sheet, proposed: Sequence[boxes.Candidate]
) -> list[tuple[boxes.Candidate, int | None]]:
    """Marks that the finder did not propose, as if it had with little confidence."""
    return [
        (boxes.Candidate(x0, y0, x1, y1, 0.5, _LEAST), 1 + int(checked))
        for x0, y0, x1, y1, checked in sheet.marks.tolist()
        if not any(x0 < box.cx < x1 and y0 < box.cy < y1 for box in proposed)
    ]


def _jittered(box: boxes.Candidate, rng: np.random.Generator) -> boxes.Candidate:
    """The place seen a little off and a little larger or smaller."""
    dx, dy = rng.normal(0, 0.5, 2)
    w, h = (np.exp(rng.normal(0, 0.05, 2)) - 1) * (box.x1 - box.x0, box.y1 - box.y0) / 2
    return replace(
        box, x0=box.x0 + dx - w, y0=box.y0 + dy - h, x1=box.x1 + dx + w, y1=box.y1 + dy + h
    )


def _kind(box: boxes.Candidate, sheet: Sheet) -> int | None:
    """0 for nothing, 1 for empty, 2 for marked; ``None`` where it can't be said."""
    for x0, y0, x1, y1 in sheet.unclear:
        if x0 - 3 <= box.cx <= x1 + 3 and y0 - 3 <= box.cy <= y1 + 3:
            return None
    best, kind = 0.0, 0
    for x0, y0, x1, y1, checked in sheet.marks:
        width, height = min(box.x1, x1) - max(box.x0, x0), min(box.y1, y1) - max(box.y0, y0)
        if width > 0 and height > 0:
            common = width * height
            both = (box.x1 - box.x0) * (box.y1 - box.y0) + (x1 - x0) * (y1 - y0) - common
            if common / both > best:
                best, kind = common / both, 1 + int(checked)
    if best >= _SAME:
        return kind
    return None if best > _APART else 0


def train_judge(
    patches: NDArray[np.uint8],
    facts: Array,
    kinds: NDArray[np.int64],
    seconds: float,
    rng: np.random.Generator,
) -> Judge:
    """All places again and again, mirrored, fainter and noisier; as long as there is time."""
    network = Judge()
    network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=2e-4)
    started, step = time.monotonic(), 0
    while (done := (time.monotonic() - started) / seconds) < 1:
        _set_rate(optimiser, 1e-3 * (1 + math.cos(math.pi * done)))
        chosen = rng.integers(len(patches), size=_PATCHES)
        x = boxes.LIGHTNESS[patches[chosen]]
        mirrored, upended = rng.random(_PATCHES) < 0.5, rng.random(_PATCHES) < 0.2
        x[mirrored] = x[mirrored][:, :, ::-1]
        x[upended] = x[upended][:, ::-1]
        noisy = rng.random((_PATCHES, 1, 1)) < 0.5
        x = x * rng.uniform(0.65, 1, (_PATCHES, 1, 1)) + rng.normal(0, 0.02, x.shape) * noisy
        known = facts[chosen].copy()
        known[:, 2:] += rng.normal(0, 0.05, (_PATCHES, 2))
        verdict = network(
            torch.from_numpy(x.astype(np.float32)[:, None]).contiguous(
                memory_format=torch.channels_last
            ),
            torch.from_numpy(known),
        )
        goal = torch.from_numpy(kinds[chosen])
        loss = functional.cross_entropy(verdict, goal, label_smoothing=0.01)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step += 1
        if step % 500 == 0:
            sys.stderr.write(f"judge {step} {loss.item():.3f}\n")
    return network


class _FinderAnswers(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, finder: Finder) -> None:
        super().__init__()
        self.finder = finder

    def forward(self, x: Any) -> Any:
        seen = self.finder(x)
        return torch.cat([torch.sigmoid(seen[:, :2]), seen[:, 2:]], 1)


class _JudgeAnswers(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, x: Any, facts: Any) -> Any:
        return torch.softmax(self.judge(x, facts), 1)


def export_finder(finder: Finder, path: Path) -> None:
    """Writes the finder; pages may have any size that is a multiple of 32."""
    sizes = {2: "height", 3: "width"}
    torch.onnx.export(
        _FinderAnswers(finder).eval(), (torch.zeros(1, 1, 64, 64),), str(path), dynamo=False,
        input_names=["x"], output_names=["y"], dynamic_axes={"x": sizes, "y": sizes},
        opset_version=17,
    )  # fmt: skip


def export_judge(judge: Judge, path: Path) -> None:
    """Writes the judge; any number of places at once."""
    number = {0: "places"}
    torch.onnx.export(
        _JudgeAnswers(judge).eval(), (torch.zeros(2, 1, 32, 32), torch.zeros(2, 4)), str(path),
        input_names=["x", "facts"], output_names=["y"], dynamo=False, opset_version=17,
        dynamic_axes={"x": number, "facts": number, "y": number},
    )  # fmt: skip


if __name__ == "__main__":
    main()
