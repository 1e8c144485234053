# SPDX-License-Identifier: Apache-2.0
"""The page images that Label Studio may see: those under review, and only while they are.

They are hard links to the content store: no copies, nothing to keep in step, and Label Studio,
which is shown this one folder, sees nothing else of the store. Its own files are read-only.

A Label Studio elsewhere can't see the folder: there the pages are links to the gate. Each is signed
for one page of one document and expires; whoever has no such link gets nothing.
"""

from __future__ import annotations

import datetime as dt
import hmac
import os
import re
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from idp.errors import ReviewError
from idp.review.access import page_key
from idp.slices import ReviewSettings

FOLDER = "pages"
"""Below the review folder, which is Label Studio's root for local files."""

LINKED_PATH = "/review-pages"
"""Where the gate serves pages to whoever has a link to them."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z")


@dataclass(frozen=True)
class Links:
    """Makes and checks links to pages; each is good for a while and for one page only."""

    address: str
    """Of the gate, as browsers and Label Studio reach it."""
    key: bytes = field(repr=False)
    good_for: dt.timedelta
    renewed_after: dt.timedelta
    """When those of what still waits are to be replaced."""

    def url(self, document_id: str, number: int) -> str:
        """The link to a page, good from now on."""
        until = int(time.time() + self.good_for.total_seconds())
        shown = {"d": _place(document_id, number), "until": str(until)}
        proof = self._proof(document_id, number, until)
        return f"{self.address}{LINKED_PATH}?{urlencode({**shown, 'proof': proof}, safe='/')}"

    def proves(self, document_id: str, number: int, until: str, proof: str) -> bool:
        """Whether a link is one of ours, of this page, and still good."""
        if not re.fullmatch(r"[0-9]{1,12}", until):
            return False
        ours = self._proof(document_id, number, int(until))
        good = hmac.compare_digest(ours.encode(), proof.encode("utf-8", "replace"))
        return good and time.time() < int(until)

    def _proof(self, document_id: str, number: int, until: int) -> str:
        said = f"{_place(document_id, number)} {until}".encode()
        return hmac.digest(self.key, said, "sha256").hex()


def links_of(settings: ReviewSettings, folder: Path) -> Links | None:
    """How pages are linked to; ``None`` where Label Studio sees their folder.

    Args:
        settings: The review's options.
        folder: The review folder (``settings.review_folder``).

    Raises:
        ReviewError: The key can't be read or made.
    """
    if settings.label_studio != "existing" or settings.address is None:
        return None
    days = dt.timedelta(days=settings.page_days)
    # Answered ones get no new link: theirs must outlast the time in which a slip is mended.
    kept = dt.timedelta(days=settings.retain_days)
    return Links(settings.address, page_key(folder), days + kept, days / 2)


class PageFolder:
    """``<review folder>/pages/<document id>/p<number>.png``."""

    def __init__(self, review_folder: Path, links: Links | None = None) -> None:
        self._folder = review_folder / FOLDER
        self._links = links

    @property
    def renewed_after(self) -> dt.timedelta | None:
        """When the addresses in a task are to be replaced; ``None``: they last."""
        return None if self._links is None else self._links.renewed_after

    def show(self, document_id: str, images: Mapping[int, Path]) -> tuple[str, ...]:
        """Let Label Studio see these pages; may be repeated.

        Args:
            document_id: Whose pages they are.
            images: The image of each page, by its number.

        Returns:
            Their addresses for a task, in the order of the numbers.

        Raises:
            ReviewError: They can't be linked (another file system, no access).
        """
        own = self._of(document_id)
        try:
            own.mkdir(mode=0o750, parents=True, exist_ok=True)
            # A round before may have shown its whole packet.
            shown = {f"p{number}.png" for number in images}
            for left in own.iterdir():
                if left.name not in shown:
                    left.unlink()
            for number, image in images.items():
                place = own / f"p{number}.png"
                if place.exists():
                    if place.samefile(image):
                        continue
                    place.unlink()
                os.link(image, place)
        except OSError as error:
            raise ReviewError(
                f"page images can't be linked into {self._folder}: {error.strerror}",
                hint="The review folder must be on the file system of the content store.",
            ) from error
        url = page_url if self._links is None else self._links.url
        return tuple(url(document_id, number) for number in sorted(images))

    def hide(self, document_id: str) -> None:
        """Take a document's pages away again; may be repeated."""
        shutil.rmtree(self._of(document_id), ignore_errors=True)

    def sweep(self, live: Collection[str]) -> int:
        """Take away the pages of all documents that are not ``live``; returns how many."""
        left = [each for each in self.shown() if each not in live]
        for document_id in left:
            self.hide(document_id)
        return len(left)

    def shown(self) -> tuple[str, ...]:
        """The documents that have pages here."""
        if not self._folder.is_dir():
            return ()
        return tuple(sorted(each.name for each in self._folder.iterdir() if _ID.match(each.name)))

    def _of(self, document_id: str) -> Path:
        if not _ID.match(document_id):
            raise ValueError("not the id of a document")
        return self._folder / document_id


def page_url(document_id: str, number: int) -> str:
    """Where Label Studio serves a page to those who are signed in."""
    return f"/data/local-files/?d={_place(document_id, number)}"


def _place(document_id: str, number: int) -> str:
    """A page's place below the review folder."""
    return f"{FOLDER}/{document_id}/p{number}.png"
