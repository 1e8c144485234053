# SPDX-License-Identifier: Apache-2.0
"""The page images that Label Studio may see: those under review, and only while they are.

They are hard links to the content store: no copies, nothing to keep in step, and Label Studio,
which is shown this one folder, sees nothing else of the store. Its own files are read-only.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from idp.errors import ReviewError

FOLDER = "pages"
"""Below the review folder, which is Label Studio's root for local files."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z")


class PageFolder:
    """``<review folder>/pages/<document id>/p<number>.png``."""

    def __init__(self, review_folder: Path) -> None:
        self._folder = review_folder / FOLDER

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
        return tuple(page_url(document_id, number) for number in sorted(images))

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
    return f"/data/local-files/?d={FOLDER}/{document_id}/p{number}.png"
