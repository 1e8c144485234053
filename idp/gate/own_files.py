# SPDX-License-Identifier: Apache-2.0
"""The gate's own style, script and icon: who names their content too may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

PATH = "/gate/assets/"
_FOLDER = Path(__file__).parent / "assets"
_FOR_EVER = "private, max-age=31536000, immutable"


def address_of(name: str) -> str:
    """The address of a file, which is another as soon as its content is."""
    return f"{PATH}{name}?{_marks()[name]}"


class OwnFiles(StaticFiles):
    """Serves them; told by name alone, a file is kept by nobody."""

    def __init__(self) -> None:
        """Of the one folder that there is."""
        super().__init__(directory=_FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or 404."""
        response = await super().get_response(path, scope)
        mark = _marks().get(path)
        if mark is not None and scope.get("query_string") == mark.encode("ascii"):
            response.headers.setdefault("Cache-Control", _FOR_EVER)
        return response


@cache
def _marks() -> dict[str, str]:
    """What the addresses of the files end with, by name; read once."""
    return {
        file.name: f"v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
        for file in _FOLDER.iterdir()
    }
