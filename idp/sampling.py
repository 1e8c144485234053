# SPDX-License-Identifier: Apache-2.0
"""Which documents a person checks for the figure alone, and what the figure is worth.

Whether a document is drawn follows from a secret of the installation and the document's own bytes:
nobody who sends it can tell, and the same document is drawn the same however often it is worked.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

_BITS = 64
_HALVINGS = 60


def is_drawn(
    key: bytes, document: str, share: float, *, purpose: bytes = b"quality sample"
) -> bool:
    """Whether a document is in the sample; one that is stays in it when the share grows.

    Args:
        key: The installation's secret.
        document: What names the document's content, the same on every run.
        share: Of all documents, 0..1.
        purpose: Of the sample: those of two purposes have nothing to do with each other.
    """
    digest = hmac.new(key, purpose + b"\0" + document.encode(), "sha256").digest()
    return int.from_bytes(digest[: _BITS // 8], "big") < share * float(1 << _BITS)


class Interval(NamedTuple):
    """A share and its 95 % interval; nothing is known of a share of nothing."""

    share: float
    low: float
    high: float


def exact_interval(hits: int, of: int) -> Interval | None:
    """The share of ``hits`` with its exact 95 % interval (Clopper and Pearson, 1934).

    Never too narrow, however few there are; ``None`` where there is nothing.
    """
    if of <= 0:
        return None
    low = 0.0 if hits == 0 else _root(lambda p: 1 - _at_most(hits - 1, of, p), 0.025)
    return Interval(hits / of, low, 1.0 if hits == of else upper_bound(hits, of, 0.025))


def upper_bound(hits: int, of: int, risk: float = 0.05) -> float:
    """The largest share that still gives so few hits with a probability of ``risk``."""
    if hits >= of:
        return 1.0
    return 1 - _root(lambda q: _at_most(hits, of, 1 - q), risk)


def clustered_interval(counts: Sequence[tuple[int, int]]) -> Interval | None:
    """The share of hits among things that come in groups, with its 95 % interval.

    Values of one document err together, so that a thousand values of ten documents tell less than
    a thousand documents would. The number of values is divided by the design effect (Kish 1965),
    which is taken to be at least 1; then the interval is Wilson's (1927).

    Args:
        counts: Hits and size of each group.
    """
    groups = [(hits, size) for hits, size in counts if size > 0]
    of = sum(size for _, size in groups)
    if not groups:
        return None
    share = sum(hits for hits, _ in groups) / of
    effect = 1.0
    if len(groups) > 1 and 0 < share < 1:
        spread = math.fsum((hits - share * size) ** 2 for hits, size in groups)
        variance = spread * len(groups) / (len(groups) - 1) / of**2
        effect = max(1.0, variance / (share * (1 - share) / of))
    elif share in (0.0, 1.0):
        # Nothing differs, so nothing tells how alike the values of a document are: as if wholly.
        effect = of / len(groups)
    worth = of / effect
    z = 1.959963984540054
    middle = (share + z * z / (2 * worth)) / (1 + z * z / worth)
    half = (
        z
        / (1 + z * z / worth)
        * math.sqrt(share * (1 - share) / worth + z * z / (4 * worth * worth))
    )
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def _at_most(hits: int, of: int, p: float) -> float:
    """The probability of at most ``hits`` of ``of`` (binomial)."""
    if p <= 0 or hits >= of:
        return 1.0
    if p >= 1:
        return 0.0
    whole = math.lgamma(of + 1)
    return min(
        1.0,
        math.fsum(
            math.exp(
                whole
                - math.lgamma(k + 1)
                - math.lgamma(of - k + 1)
                + k * math.log(p)
                + (of - k) * math.log1p(-p)
            )
            for k in range(hits + 1)
        ),
    )


def _root(rising: Callable[[float], float], at: float) -> float:
    """Where a function that rises on 0..1 reaches ``at``, to the last bit that matters."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < at else (low, middle)
    return (low + high) / 2
