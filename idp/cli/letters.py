# SPDX-License-Identifier: Apache-2.0
"""Letters from the shell: of a stored document, and beside ``idp process``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from idp.cli.border import messages, print_json
from idp.cli.house import actor, open_store
from idp.errors import AccessError, WrongStateError
from idp.letters import Letter, as_pdf, draft_for
from idp.settings import load_settings

SCHEMA = "idp.letter/1"
_SUFFIXES = (".pdf", ".txt")


def write_letter(
    text: str, *, out: Path | None, reply_to: str | None, final: bool, as_json: bool
) -> None:
    """Write or print the letter of a stored document, and put that on the record.

    Raises:
        WrongStateError: The document was not read, or there is nothing to ask for.
        AccessError: The file can't be written.
    """
    if out is not None and out.suffix.lower() not in _SUFFIXES:
        raise typer.BadParameter("a letter is a .pdf or a .txt file", param_hint="--out")
    settings = load_settings()
    store = open_store(settings)
    found = store.show(store.resolve(text))
    if found.document is None or found.document.error is not None:
        raise WrongStateError(f"{found.row.id} was not read: there is nothing to ask for")
    letter = draft_for(
        found.document,
        settings,
        reference=found.row.id,
        received_at=found.arrival.received_at,
        reply_to=reply_to,
        draft=not final,
    )
    if letter is None:
        raise WrongStateError(
            f"{found.row.id} lacks nothing that a sender could mend",
            hint="`idp show ID` lists the findings; values that were not read are a reviewer's.",
        )
    kind = out.suffix.lower()[1:] if out is not None else "txt"
    store.note_letter(
        found.row.id,
        actor=actor(),
        form=f"{kind} final" if final else kind,
        items=letter.items,
    )
    if out is not None:
        save_letter(letter, out)
    if as_json:
        print_json(
            {
                "schema": SCHEMA,
                "document_id": found.row.id,
                "draft": letter.draft,
                "items": letter.items,
                "file": str(out) if out is not None else None,
                "text": letter.text if out is None else None,
            }
        )
    elif out is not None:
        messages().print(f"{out}: {letter.items} things to ask for; nothing was sent")
    else:
        sys.stdout.write(letter.text)


def save_letter(letter: Letter, path: Path) -> None:
    """Write the letter whole or not at all; only its owner may read it.

    Raises:
        AccessError: The file can't be written.
    """
    data = as_pdf(letter) if path.suffix.lower() == ".pdf" else letter.text.encode()
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    try:
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise AccessError(f"{path}: {error.strerror}") from error
