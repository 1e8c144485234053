# SPDX-License-Identifier: Apache-2.0
"""Decisions on the record: what was decided, by which rules and models, and on what."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.document import Decision, Document, Page
from idp.errors import NotFoundError, WrongStateError
from idp.sampling import clustered_interval, exact_interval
from idp.store import record
from idp.store.identity import new_id
from idp.store.queries import Queries, as_arrival
from idp.store.rows import DecidedDocument, DecisionRow, QualityRow, State
from idp.store.tables import (
    Arrival,
    CorrectionRecord,
    DecisionRecord,
    DocumentRecord,
    PageRecord,
    QualityCheckRecord,
)

_BATCH = 200
_JUDGED = ("confirmed", "changed", "removed")
_WRONG = ("changed", "removed")


def note(
    session: Session,
    document_id: str,
    document: Document,
    sha256: str,
    *,
    at: dt.datetime,
    actor: str,
) -> None:
    """Put a decision on the record, in the transaction of the move that follows from it.

    Args:
        session: That transaction.
        document_id: The document's.
        document: As decided.
        sha256: Of the document as decided, in the content store.
        at: When.
        actor: Who or what decided.
    """
    session.add(
        DecisionRecord(
            id=new_id(at),
            document_id=document_id,
            at=at,
            actor=actor,
            decision=document.decision.value,
            release=document.release,
            sampled=document.sampled,
            rules_version=document.rules_version,
            models=dict(document.model_versions),
            rules=list(rules_of(document)),
            result_sha256=sha256,
        )
    )


def rules_of(document: Document) -> tuple[str, ...]:
    """The rules that spoke, each with its severity, then the codes of the reasons; no words."""
    spoke = sorted({f"{f.rule}/{f.severity.value}" for f in document.findings})
    return (*spoke, *document.reason_codes)


class Decisions(Queries):
    """What was decided, and how often it was wrong."""

    _writing: sa.Engine
    _clock: Callable[[], dt.datetime]

    def decisions(self, document_id: str) -> tuple[DecisionRow, ...]:
        """All decisions on a document, oldest first."""
        query = (
            sa.select(DecisionRecord)
            .where(DecisionRecord.document_id == document_id)
            .order_by(DecisionRecord.at, DecisionRecord.id)
        )
        with Session(self._engine) as session:
            return tuple(_as_row(row) for row in session.scalars(query))

    def rules_version(self, version: str) -> bytes | None:
        """What a rules version stands for; ``None`` where that was never kept."""
        known = len(version) == _SHA256_DIGITS and self.content.has(version)
        return self.content.read(version) if known else None

    def record_decision(self, document_id: str, document: Document, *, actor: str) -> DecisionRow:
        """Put a new judgement of a document in review in force and on the record.

        It stays in review: that a person looked at it is theirs to say.

        Raises:
            NotFoundError: No such document.
            WrongStateError: It is not in review.
        """
        sha256 = self.content.put_bytes(document.model_dump_json().encode()).sha256
        with Session(self._writing) as session, session.begin():
            record.lock_chain(session)
            known = session.get(DocumentRecord, document_id, with_for_update=True)
            if known is None:
                raise NotFoundError(f"no document {document_id!r}")
            if known.state != State.REVIEW:
                raise WrongStateError(f"{document_id} is {known.state}, not in review")
            now = self._clock()
            keep(known, document, sha256)
            note(session, document_id, document, sha256, at=now, actor=actor)
            record.append(
                session,
                at=now,
                actor=actor,
                action="decided_again",
                arrival_id=known.arrival_id,
                document_id=document_id,
                detail=detail_of(document, sha256),
            )
        return self.decisions(document_id)[-1]

    def decided_ids(
        self,
        *,
        since: dt.datetime | None = None,
        type: str | None = None,
        limit: int | None = None,
    ) -> tuple[str, ...]:
        """Documents that were read and decided, oldest arrival first.

        Args:
            since: Only what was received then or later.
            type: Only documents of this type or subtype.
            limit: At most so many, the latest.
        """
        query = (
            sa.select(DocumentRecord.id)
            .join(Arrival, Arrival.id == DocumentRecord.arrival_id)
            .where(DocumentRecord.result_sha256.is_not(None), DocumentRecord.error.is_(None))
        )
        if since is not None:
            query = query.where(Arrival.received_at >= since)
        if type is not None:
            query = query.where(sa.or_(DocumentRecord.type == type, DocumentRecord.subtype == type))
        query = query.order_by(Arrival.received_at.desc(), DocumentRecord.id.desc()).limit(limit)
        with Session(self._engine) as session:
            return tuple(reversed(session.scalars(query).all()))

    def decided_documents(self, ids: tuple[str, ...]) -> Iterator[DecidedDocument]:
        """These documents as the pipeline last decided them, each with its pages."""
        for start in range(0, len(ids), _BATCH):
            with Session(self._engine) as session:
                found = session.execute(
                    sa.select(DocumentRecord, Arrival)
                    .join(Arrival, Arrival.id == DocumentRecord.arrival_id)
                    .where(DocumentRecord.id.in_(ids[start : start + _BATCH]))
                    .order_by(Arrival.received_at, DocumentRecord.id)
                ).all()
                arrivals = {arrival.id: as_arrival(arrival) for _, arrival in found}
                pages: dict[tuple[str, str], list[str]] = defaultdict(list)
                for page in session.scalars(
                    sa.select(PageRecord)
                    .where(PageRecord.arrival_id.in_(arrivals))
                    .order_by(PageRecord.number)
                ):
                    pages[page.arrival_id, page.part].append(page.page_sha256)
                whole: dict[str, list[tuple[str, str, str | None, int]]] = defaultdict(list)
                for other in session.scalars(
                    sa.select(DocumentRecord)
                    .where(
                        DocumentRecord.arrival_id.in_(arrivals),
                        DocumentRecord.error.is_(None),
                        DocumentRecord.type.is_not(None),
                    )
                    .order_by(DocumentRecord.ordinal)
                ):
                    seen = (other.id, other.type or "", other.subtype, len(other.pages))
                    whole[other.arrival_id].append(seen)
                todo = [
                    (document.id, document.arrival_id, document.part or "", document.result_sha256)
                    for document, _ in found
                ]
            read: tuple[tuple[str, str], tuple[Page, ...]] = (("", ""), ())
            for document_id, arrival_id, part, sha256 in todo:
                assert sha256 is not None
                if read[0] != (arrival_id, part):
                    texts = (self.content.read(each) for each in pages[arrival_id, part])
                    read = (
                        (arrival_id, part),
                        tuple(Page.model_validate_json(text) for text in texts),
                    )
                document = Document.model_validate_json(self.content.read(sha256))
                yield DecidedDocument(
                    arrival=arrivals[arrival_id],
                    document=document,
                    pages=tuple(p for p in read[1] if p.number in document.pages),
                    part=read[1],
                    beside=tuple(each[1:] for each in whole[arrival_id] if each[0] != document_id),
                )

    def quality(self, *, since: dt.datetime | None = None) -> tuple[QualityRow, ...]:
        """What people found in the quality sample, by document type, then over all.

        Args:
            since: Only what was received then or later.
        """
        documents = (
            sa.select(DocumentRecord.id, DocumentRecord.type, DocumentRecord.sampled)
            .join(Arrival, Arrival.id == DocumentRecord.arrival_id)
            .where(
                sa.or_(
                    DocumentRecord.sampled,
                    DocumentRecord.decision == Decision.AUTO.value,
                )
            )
        )
        if since is not None:
            documents = documents.where(Arrival.received_at >= since)
        chosen = documents.subquery()
        with Session(self._engine) as session:
            left = {
                row.type: row.number
                for row in session.execute(
                    sa.select(chosen.c.type, sa.func.count().label("number"))
                    .where(~chosen.c.sampled)
                    .group_by(chosen.c.type)
                )
            }
            sampled = {
                row.id: row.type
                for row in session.execute(
                    sa.select(chosen.c.id, chosen.c.type).where(chosen.c.sampled)
                )
            }
            corrections = session.execute(
                sa.select(
                    CorrectionRecord.document_id,
                    CorrectionRecord.outcomes,
                    CorrectionRecord.complete,
                )
                .join(chosen, chosen.c.id == CorrectionRecord.document_id)
                .where(chosen.c.sampled)
                .order_by(CorrectionRecord.made_at, CorrectionRecord.id)
            ).all()
            checks = {
                check.document_id: check
                for check in session.scalars(
                    sa.select(QualityCheckRecord)
                    .join(chosen, chosen.c.id == QualityCheckRecord.document_id)
                    .where(chosen.c.sampled)
                )
            }
        said: dict[str, dict[str, dict[str, int]]] = defaultdict(dict)
        whole: set[str] = set()
        for document_id, outcomes, complete in corrections:
            if document_id in checks:
                continue  # it is known what would have been sent
            said[document_id].update(outcomes)  # the latest word on a field counts
            if complete:
                whole.add(document_id)
        checked = {id_: _counted(said[id_]) for id_ in whole}
        for id_, check in checks.items():
            sampled[id_] = check.type  # as it would have been sent
            if check.done:
                checked[id_] = _counted(check.outcomes, unfit=bool(check.unfit))
        types = sorted({*left, *sampled.values()}, key=str)
        rows = [_quality(str(name), left, sampled, checked, {name}) for name in types]
        return (*rows, _quality("all", left, sampled, checked, set(types)))


_SHA256_DIGITS = 64


def keep(known: DocumentRecord, document: Document, sha256: str) -> None:
    """What lists show of a document, and where the whole of it is."""
    known.type = document.type
    known.subtype = document.subtype
    known.part = document.part
    known.pages = list(document.pages)
    known.decision = document.decision.value
    known.missing = len(document.missing)
    known.reasons = list(document.reasons)
    known.error = document.error
    known.hint = document.hint
    known.sampled = document.sampled
    known.result_sha256 = sha256


def detail_of(document: Document, sha256: str) -> record.Detail:
    """What the record of events says of a decision: codes, counts and hashes."""
    return {
        "type": document.type,
        "pages": len(document.pages),
        "error": document.error,
        "result": sha256,
        "release": document.release,
        "sampled": document.sampled,
        "rules_version": document.rules_version,
        "reasons": " ".join(document.reason_codes),
    }


class _Counts(NamedTuple):
    """Of one checked document."""

    values: int
    wrong: int
    missed: int
    unfit: bool
    """The whole of it was taken for something that it is not."""


def _counted(outcomes: dict[str, dict[str, int]], *, unfit: bool = False) -> _Counts:
    def number(*names: str) -> int:
        return sum(counts.get(name, 0) for counts in outcomes.values() for name in names)

    return _Counts(number(*_JUDGED), number(*_WRONG), number("added"), unfit)


def _quality(
    name: str,
    left: dict[str, int],
    sampled: dict[str, str],
    checked: dict[str, _Counts],
    types: set[str],
) -> QualityRow:
    own = [counts for id_, counts in checked.items() if sampled[id_] in types]
    wrong = sum(bool(counts.wrong or counts.missed or counts.unfit) for counts in own)
    return QualityRow(
        type=name,
        left=sum(number for type_, number in left.items() if type_ in types),
        sampled=sum(type_ in types for type_ in sampled.values()),
        checked=len(own),
        documents_wrong=wrong,
        values=sum(counts.values for counts in own),
        values_wrong=sum(counts.wrong for counts in own),
        values_missed=sum(counts.missed for counts in own),
        documents_interval=exact_interval(wrong, len(own)),
        values_interval=clustered_interval([(counts.wrong, counts.values) for counts in own]),
    )


def _as_row(row: DecisionRecord) -> DecisionRow:
    return DecisionRow(
        id=row.id,
        document_id=row.document_id,
        at=row.at,
        actor=row.actor,
        decision=Decision(row.decision),
        release=row.release,
        sampled=row.sampled,
        rules_version=row.rules_version,
        models=row.models,
        rules=tuple(row.rules),
        result_sha256=row.result_sha256,
    )
