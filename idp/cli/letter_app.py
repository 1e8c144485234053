# SPDX-License-Identifier: Apache-2.0
"""``idp letter``: a draft to the sender of what is missing or not in order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from idp.cli.border import guarded


@guarded
def letter(
    document: Annotated[
        str, typer.Argument(metavar="ID", help="Document id, or its last 6 or more characters.")
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A .pdf or .txt file; without it the text is printed."),
    ] = None,
    reply_to: Annotated[
        str | None,
        typer.Option("--reply-to", help="Where the answer goes; default letters.reply_to."),
    ] = None,
    final: Annotated[
        bool, typer.Option("--final", help="Without the mark DRAFT: somebody has read it.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON for scripts.")] = False,
) -> None:
    """Draft a letter to the sender: what is missing or not in order. It is never sent by itself.

    The patient is named by initials and date of service (letters.patient says otherwise), and no
    value of the document is quoted. That a draft was made is on the record, not what it says. The
    words are templates: rules/letters, and your own in <data>/rules/letters.

    Example:  idp letter 7f3a91c2 --out letter.pdf --reply-to "555-0123"
    """
    from idp.cli.letters import write_letter  # noqa: PLC0415

    write_letter(document, out=out, reply_to=reply_to, final=final, as_json=json)
