# SPDX-License-Identifier: Apache-2.0
"""Opens X12 interchanges: one transaction set is one part, with a listing for its pages.

A file of one transaction set is that part itself; of several, each is a member of its own, written
as JSON with the numbers that its segments have in the file.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from idp.errors import BrokenInterchangeError, DamagedFileError, TooLargeError
from idp.ingest.opened import TRANSACTION, Member, Opened
from idp.ingest.x12_listing import MOST_ON_PAGE, listing
from idp.ingest.x12_reader import transaction_sets
from idp.settings import IngestSettings
from idp.x12 import TransactionSet

_LONGEST_CONTROL_NUMBER = 20


def open_x12(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """The pages of the file's only transaction set, or its sets as members.

    Raises:
        BrokenInterchangeError: the file contradicts the standard; names the segment.
        TooLargeError: more than ``limits.max_parts`` sets, ``limits.max_pages`` pages of one, or
            ``limits.max_expanded_bytes`` in all.
    """
    first: TransactionSet | None = None
    members: list[Member] = []
    written = 0
    most = limits.max_pages * MOST_ON_PAGE
    for count, transaction in enumerate(transaction_sets(path.read_bytes(), most), start=1):
        if count > limits.max_parts:
            raise TooLargeError(
                f"more than ingest.max_parts {limits.max_parts} transaction sets in the file"
            )
        if first is None:
            first = transaction
            continue
        for each in (first, transaction) if count == 2 else (transaction,):
            content = each.model_dump_json().encode()
            written += len(content)
            if written > limits.max_expanded_bytes:
                raise TooLargeError(
                    f"more than ingest.max_expanded_bytes {limits.max_expanded_bytes}"
                )
            target = workspace / f"member-{len(members) + 1:04d}"
            target.write_bytes(content)
            members.append(
                Member(name=_name(each, len(members) + 1), path=str(target), media_type=TRANSACTION)
            )
    if first is None:
        raise BrokenInterchangeError("the file holds no transaction set")
    return Opened(members=tuple(members)) if members else _opened(first, workspace, limits)


def open_transaction(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """The pages of a transaction set that :func:`open_x12` wrote.

    Raises:
        DamagedFileError: not such a file.
        TooLargeError: more than ``limits.max_pages`` pages.
    """
    try:
        transaction = TransactionSet.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DamagedFileError("the transaction set can't be read again") from error
    return _opened(transaction, workspace, limits)


def _opened(transaction: TransactionSet, workspace: Path, limits: IngestSettings) -> Opened:
    return Opened(read=listing(transaction, workspace, limits.max_pages), transaction=transaction)


def _name(transaction: TransactionSet, number: int) -> str:
    """What a person calls the set: its place, kind and control number, printable."""
    return f"set {number} ({_plain(transaction.kind)} {_plain(transaction.control_number)})"


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isascii() and c.isalnum())[:_LONGEST_CONTROL_NUMBER]
