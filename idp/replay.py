# SPDX-License-Identifier: Apache-2.0
"""Decides stored documents again, by the rules in force or by others, and changes nothing.

A decision is made from the document as stored, its pages, how it came and what came before; all of
that is kept. Deciding again under the same versions gives the same; where it does not, the report
names the documents, the rules and the codes of reasons that differ, never a value.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from idp.document import Decision, Document
from idp.judge import Judge, sample_key
from idp.rejudged import judged_again
from idp.schemas import load_schemas
from idp.settings import Settings
from idp.store import DecidedDocument, Store, rules_of


@dataclass(frozen=True, slots=True)
class Difference:
    """A document that would be decided differently; codes and rule numbers only.

    ``gone`` and ``new`` are rules with their severity (``N1/block``) and codes of reasons.
    """

    document_id: str
    type: str
    before: Decision
    after: Decision
    gone: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """What a replay found."""

    documents: int = 0
    same: int = 0
    same_version: int = 0
    """Decided by the very rules, schemas, settings and imported data of today."""
    failed: dict[str, str] = field(default_factory=dict)
    """Documents that could not be judged, with the code of what stopped it."""
    differences: list[Difference] = field(default_factory=list)
    changed_parts: Counter[str] = field(default_factory=Counter)
    """What differs between the versions then and now, with how many documents it concerns."""

    @property
    def moves(self) -> Counter[str]:
        """How many documents would go another way, as ``auto -> review``."""
        return Counter(
            f"{each.before} -> {each.after}"
            for each in self.differences
            if each.before is not each.after
        )

    @property
    def by_code(self) -> dict[str, tuple[int, int]]:
        """For each rule and code of reason: on how many documents it is gone, and new."""
        gone = Counter(code for each in self.differences for code in each.gone)
        new = Counter(code for each in self.differences for code in each.new)
        return {code: (gone[code], new[code]) for code in sorted({*gone, *new})}


class Replay:
    """Judges stored documents by the given settings, and compares.

    Args:
        store: Where the documents are; it is only read.
        settings: What to judge by: those in force, or others.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._judge = Judge(
            settings,
            load_schemas(settings.schemas_folder),
            sample_key=sample_key(settings.data, make=False),
        )

    def run(self, ids: Sequence[str], report: Report) -> Iterator[str]:
        """Judges the documents one after the other into ``report``; yields each one's id."""
        for stored in self._store.decided_documents(tuple(ids)):
            report.documents += 1
            document_id = stored.document.document_id
            try:
                after = self.decided_again(stored)
            except (KeyError, ValueError) as error:
                # Its type has no schema any more, or what is stored breaks today's shape.
                report.failed[document_id] = type(error).__name__
            else:
                self._compare(stored.document, after, report)
            yield document_id

    def decided_again(self, stored: DecidedDocument) -> Document:
        """The document as it would be decided now.

        Raises:
            KeyError: There is no schema of its type.
        """
        return judged_again(stored, self._judge, self._settings)

    def _compare(self, before: Document, after: Document, report: Report) -> None:
        if before.rules_version == after.rules_version:
            report.same_version += 1
        else:
            report.changed_parts.update(self.changed(before.rules_version, after))
        said, says = set(rules_of(before)), set(rules_of(after))
        if (before.decision, said) == (after.decision, says):
            report.same += 1
            return
        report.differences.append(
            Difference(
                document_id=before.document_id,
                type=after.type,
                before=before.decision,
                after=after.decision,
                gone=tuple(sorted(said - says)),
                new=tuple(sorted(says - said)),
            )
        )

    def changed(self, version: str, after: Document) -> tuple[str, ...]:
        """What differs between a version on the record and the one that judged ``after``."""
        kept = self._store.rules_version(version)
        return changed_parts(kept, self._judge.judged_by(after))


def changed_parts(before: bytes | None, after: bytes | None) -> tuple[str, ...]:
    """What differs between what two rules versions stand for, as ``name: old -> new``."""
    if before is None or after is None:
        return ("unknown: the version was not kept",)
    old: dict[str, Any] = json.loads(before)["parts"]
    new: dict[str, Any] = json.loads(after)["parts"]
    return tuple(
        f"{name}: {_said(old, name)} -> {_said(new, name)}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name) or (name in old) != (name in new)
    )


def _said(parts: dict[str, Any], name: str) -> str:
    return json.dumps(parts[name]) if name in parts else "none"


def as_plain(report: Report, *, seconds: float, since: dt.datetime | None) -> dict[str, Any]:
    """The report as plain JSON values."""
    return {
        "schema": "idp.replay/1",
        "since": since.isoformat() if since else None,
        "documents": report.documents,
        "same": report.same,
        "same_version": report.same_version,
        "different": len(report.differences),
        "failed": report.failed,
        "moves": dict(sorted(report.moves.items())),
        "by_code": {c: {"gone": g, "new": n} for c, (g, n) in report.by_code.items()},
        "changed_parts": dict(sorted(report.changed_parts.items())),
        "differences": [
            {
                "document_id": each.document_id,
                "type": each.type,
                "before": each.before.value,
                "after": each.after.value,
                "gone": list(each.gone),
                "new": list(each.new),
            }
            for each in report.differences
        ],
        "seconds": round(seconds, 3),
    }
