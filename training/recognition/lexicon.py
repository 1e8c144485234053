# SPDX-License-Identifier: Apache-2.0
"""``python -m training.recognition.lexicon``: writes the words that misreadings are held to.

    pip install symspellpy==6.10.1 names==0.3.0
    python -m training.recognition.lexicon

Sources, all free to pass on: English words with their frequency (symspellpy, MIT; Google Books
n-grams that stand in SCOWL), names of people that the US census counts (names, MIT; public domain),
words of ICD-10-CM descriptions (simple-icd-10-cm; public domain), and the wordings of idp's own
schemas and rules. No page that anything is judged on adds a word.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.resources
import io
import math
import re
from collections.abc import Iterator
from pathlib import Path

from simple_icd_10_cm import get_all_codes, get_description

from idp.read.weights import LEXICON, SHIPPED
from training.recognition.ship import ship_file

_UNIT = 100_000
"""A word met so often in the books counts as the rarest; words of other lists do, too."""
_WORD = re.compile(r"[a-z]{4,}")
_OURS = 3.0
"""By how much a word of our own wordings is likelier on a form than in a book, in logarithms."""
_OWN = ("idp/schemas", "rules")


def books() -> Iterator[tuple[str, int]]:
    """English words and how often books print them."""
    folder = importlib.resources.files("symspellpy")
    text = (folder / "frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig")
    for line in text.splitlines():
        word, count = line.split()
        yield word.casefold(), int(count)


def people() -> Iterator[str]:
    """Family and first names."""
    for name in ("dist.all.last", "dist.female.first", "dist.male.first"):
        for line in (importlib.resources.files("names") / name).read_text("utf-8").splitlines():
            yield line.split()[0].casefold()


def diagnoses() -> Iterator[str]:
    """Words of the descriptions of ICD-10-CM."""
    for code in get_all_codes():
        yield from _WORD.findall(get_description(code).casefold())


def wordings(root: Path) -> Iterator[str]:
    """Words of the product's own schemas and rules: labels, options, titles."""
    for folder in _OWN:
        for path in sorted((root / folder).rglob("*.yaml")):
            yield from _WORD.findall(path.read_text(encoding="utf-8").casefold())


def collected(root: Path) -> dict[str, float]:
    """All words with the logarithm of their frequency, 0 for the rarest."""
    ranks = {word: max(0.0, math.log(count / _UNIT)) for word, count in books()}
    for word in (*people(), *diagnoses()):
        ranks.setdefault(word, 0.0)
    for word in set(wordings(root)):
        ranks[word] = ranks.get(word, 0.0) + _OURS
    return ranks


def packed(ranks: dict[str, float]) -> bytes:
    """The list as the product reads it; the same words give the same bytes."""
    lines = "".join(f"{word}\t{rank:.1f}\n" for word, rank in sorted(ranks.items()))
    written = io.BytesIO()
    with gzip.GzipFile(fileobj=written, mode="wb", mtime=0) as stream:
        stream.write(lines.encode())
    return written.getvalue()


def main() -> None:
    """Writes the list and names it in the manifest."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, default=SHIPPED)
    options = parser.parse_args()
    ranks = collected(Path(__file__).resolve().parents[2])
    origin = {
        "words": len(ranks),
        "origin": "symspellpy 6.10.1 (MIT), names 0.3.0 (MIT; US census, public domain), "
        "ICD-10-CM descriptions (public domain), idp's own wordings",
    }
    ship_file(packed(ranks), options.models, LEXICON, origin)
    print(f"{len(ranks)} words")  # noqa: T201


if __name__ == "__main__":
    main()
