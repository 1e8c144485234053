# SPDX-License-Identifier: Apache-2.0
"""The store's side of learning: corrections in, corrected documents and observations out."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp.document import Claim, Document, Field, Page
from idp.errors import NotFoundError, WrongStateError
from idp.signals import Correction, Observation
from idp.store import record
from idp.store.content import ContentStore
from idp.store.identity import new_id
from idp.store.queries import Queries
from idp.store.rows import CorrectedDocument, CorrectionRow, ObservationRow
from idp.store.tables import (
    CorrectionRecord,
    CutRecord,
    DecisionRecord,
    DocumentRecord,
    Event,
    ObservationRecord,
    PageRecord,
)

_CORRECTIONS = TypeAdapter(tuple[Correction, ...])
_FIELDS = TypeAdapter(tuple[Field, ...])


class Learning(Queries):
    """What people corrected, and what the models did with each document."""

    _writing: sa.Engine
    _clock: Callable[[], dt.datetime]

    def record_corrections(
        self,
        document_id: str,
        corrections: Sequence[Correction],
        *,
        key: str,
        reviewer: str,
        made_at: dt.datetime,
        seconds: float | None = None,
        complete: bool = False,
        result_sha256: str | None = None,
    ) -> CorrectionRow:
        """Record what a person said of a document; the same ``key`` again changes nothing.

        The state of the document stays as it is: what becomes of it is decided elsewhere.

        Args:
            document_id: The document as it was shown.
            corrections: One per value, confirmed ones too: they are worth as much to training.
            key: Names this submission for good (Label Studio: annotation id and its revision).
            reviewer: Who; shown to the audit, and only hashed in datasets.
            made_at: When (aware).
            seconds: Time spent on it, where known.
            complete: Every field was looked at; what is not named is not on the form.
            result_sha256: What was shown, where that is not the result in force any more.

        Raises:
            NotFoundError: No such document.
            WrongStateError: It was never read, or ``key`` was used for something else.
        """
        content = _CORRECTIONS.dump_json(tuple(corrections))
        content_sha256 = self.content.put_bytes(content).sha256
        with Session(self._writing) as session, session.begin():
            document = session.get(DocumentRecord, document_id, with_for_update=True)
            if document is None:
                raise NotFoundError(f"no document {document_id!r}")
            known = session.scalars(
                sa.select(CorrectionRecord).where(CorrectionRecord.key == key)
            ).one_or_none()
            if known is not None:
                if (known.document_id, known.content_sha256) != (document_id, content_sha256):
                    raise WrongStateError(
                        f"the corrections {key!r} are on record with other content",
                        hint="A changed submission needs a key of its own (its revision).",
                    )
                return _as_row(known)
            if document.result_sha256 is None or not document.pages:
                raise WrongStateError(f"{document_id} was never read: nothing to correct")
            pages = session.execute(
                sa.select(PageRecord.number, PageRecord.page_sha256).where(
                    PageRecord.arrival_id == document.arrival_id,
                    PageRecord.part == (document.part or ""),
                )
            ).all()
            by_number = {page.number: page.page_sha256 for page in pages}
            row = CorrectionRecord(
                id=new_id(self._clock()),
                document_id=document_id,
                key=key,
                reviewer=reviewer,
                made_at=made_at,
                seconds=seconds,
                complete=complete,
                outcomes=_outcomes(corrections),
                content_sha256=content_sha256,
                result_sha256=result_sha256 or document.result_sha256,
                page_sha256s=[by_number[number] for number in document.pages],
            )
            session.add(row)
            counted: dict[str, int] = defaultdict(int)
            for correction in corrections:
                counted[correction.outcome] += 1
            record.append(
                session,
                at=self._clock(),
                actor=f"reviewer:{reviewer}",
                action="corrections_recorded",
                arrival_id=document.arrival_id,
                document_id=document_id,
                detail={"key": key, "seconds": seconds, "content": content_sha256, **counted},
            )
            return _as_row(row)

    def corrections(
        self, document_id: str | None = None, *, since: dt.datetime | None = None
    ) -> tuple[CorrectionRow, ...]:
        """What was corrected, oldest first, without the values."""
        query = sa.select(CorrectionRecord)
        if document_id is not None:
            query = query.where(CorrectionRecord.document_id == document_id)
        if since is not None:
            query = query.where(CorrectionRecord.made_at >= since)
        with Session(self._engine) as session:
            rows = session.scalars(query.order_by(CorrectionRecord.made_at, CorrectionRecord.id))
            return tuple(_as_row(row) for row in rows)

    def corrected_documents(self) -> Iterator[CorrectedDocument]:
        """Every document that people corrected, by id, with the pages they looked at."""
        with Session(self._engine) as session:
            rows = session.scalars(
                sa.select(CorrectionRecord).order_by(
                    CorrectionRecord.document_id, CorrectionRecord.made_at, CorrectionRecord.id
                )
            ).all()
            session.expunge_all()
        by_document: dict[str, list[CorrectionRecord]] = defaultdict(list)
        for row in rows:
            by_document[row.document_id].append(row)
        for own in by_document.values():
            last = own[-1]
            # Boxes and ids belong to the pages of one reading: older ones are not mixed in.
            same = [row for row in own if row.page_sha256s == last.page_sha256s]
            shown = [Document.model_validate_json(self.content.read(r.result_sha256)) for r in same]
            # What was said of it as something else says nothing of the fields that it has.
            fit = [place for place, each in enumerate(shown) if each.type == shown[-1].type]
            same = [same[place] for place in fit]
            claims, type_read = self._beside(last, shown[-1])
            yield CorrectedDocument(
                document=shown[fit[0]],
                pages=tuple(
                    Page.model_validate_json(self.content.read(sha)) for sha in last.page_sha256s
                ),
                corrections=_latest(self.content, same),
                complete=any(row.complete for row in same),
                reviewer=last.reviewer,
                made_at=last.made_at,
                claims=claims,
                type_read=type_read,
            )

    def _beside(
        self, last: CorrectionRecord, shown: Document
    ) -> tuple[tuple[Claim, ...] | None, str | None]:
        """The claims as a person left them, and what the document was taken for at first."""
        with Session(self._engine) as session:
            decided = sa.select(DecisionRecord.result_sha256).where(
                DecisionRecord.document_id == last.document_id
            )
            newest = (DecisionRecord.at.desc(), DecisionRecord.id.desc())
            by_person = session.scalars(
                decided.where(DecisionRecord.actor.startswith("reviewer:")).order_by(*newest)
            ).first()
            by_pipeline = session.scalars(
                decided.where(DecisionRecord.actor == "pipeline").order_by(*newest)
            ).first()
            by_hand = session.scalars(
                sa.select(CutRecord.key)
                .join(DocumentRecord, DocumentRecord.arrival_id == CutRecord.arrival_id)
                .where(DocumentRecord.id == last.document_id, CutRecord.whole)
            ).first()

        def result(sha256: str) -> Document:
            return Document.model_validate_json(self.content.read(sha256))

        # In a blind check nobody is asked of the claims; an answer that is not whole may lack some.
        asked = bool(shown.claims) and last.complete and not shown.sampled
        claims = result(by_person).claims if asked and by_person is not None else None
        if by_pipeline is None or by_hand is not None:
            return claims, None  # a person named the type when the packet was cut
        read = result(by_pipeline)
        return claims, read.type if read.subtype is None else f"{read.type}/{read.subtype}"

    def observations(self, since: dt.datetime | None = None) -> tuple[ObservationRow, ...]:
        """What the models did with each document, oldest first."""
        query = sa.select(ObservationRecord)
        if since is not None:
            query = query.where(ObservationRecord.at >= since)
        with Session(self._engine) as session:
            rows = session.scalars(
                query.order_by(ObservationRecord.at, ObservationRecord.document_id)
            )
            return tuple(
                ObservationRow(
                    document_id=row.document_id,
                    at=row.at,
                    type=row.type,
                    models=row.models,
                    layout=row.layout,
                    confidences=row.confidences,
                    missing=tuple(row.missing),
                    challenger=row.challenger,
                    agreement=row.agreement,
                    shadow_error=row.shadow_error,
                    shadow_sha256=row.shadow_sha256,
                )
                for row in rows
            )

    def shadow_fields(self, row: ObservationRow) -> tuple[Field, ...]:
        """What the challenger said of the document; empty when none ran."""
        if row.shadow_sha256 is None:
            return ()
        return _FIELDS.validate_json(self.content.read(row.shadow_sha256))

    def note_models(self, entries: Sequence[Mapping[str, str | None]]) -> int:
        """Put changes of the models in force on the record; those already there are left out.

        Each entry has an ``id`` of its own, ``action``, ``at`` and ``by``. Returns how many were
        new, so that a promotion whose audit line was cut off by a kill gets it later.
        """
        if not entries:
            return 0
        with Session(self._writing) as session, session.begin():
            record.lock_chain(session)  # nobody notes the same between looking and writing
            known = _noted(session, {str(entry["action"]) for entry in entries})
            fresh = [entry for entry in entries if entry["id"] not in known]
            for entry in fresh:
                record.append(
                    session,
                    at=dt.datetime.fromisoformat(str(entry["at"])),
                    actor=str(entry["by"]),
                    action=str(entry["action"]),
                    detail={k: v for k, v in entry.items() if k not in ("at", "by", "action")},
                )
            return len(fresh)

    def _keep_observation(self, observation: Observation) -> str | None:
        """Store the challenger's fields; returns their hash."""
        shadow = observation.shadow
        if shadow is None or shadow.error is not None:
            return None
        return self.content.put_bytes(_FIELDS.dump_json(shadow.fields)).sha256

    def _observe(
        self, session: Session, document: Document, observation: Observation, kept: str | None
    ) -> None:
        shadow = observation.shadow
        session.merge(
            ObservationRecord(
                document_id=document.document_id,
                at=self._clock(),
                type=document.type,
                models=observation.models,
                layout=observation.layout,
                confidences=observation.confidences,
                missing=list(observation.missing),
                challenger=shadow.challenger if shadow else None,
                agreement={n: a.value for n, a in shadow.agreement.items()} if shadow else {},
                shadow_error=shadow.error if shadow else None,
                shadow_sha256=kept,
            )
        )


def _noted(session: Session, actions: Collection[str]) -> set[str]:
    details = session.scalars(sa.select(Event.detail).where(Event.action.in_(actions))).all()
    return {str(detail.get("id")) for detail in details}


def _outcomes(corrections: Sequence[Correction]) -> dict[str, dict[str, int]]:
    outcomes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for correction in corrections:
        outcomes[correction.name][correction.outcome] += 1
    plain: dict[str, dict[str, int]] = json.loads(json.dumps(outcomes))
    return plain


def _latest(content: ContentStore, rows: Sequence[CorrectionRecord]) -> tuple[Correction, ...]:
    """The last word on each field, told against what was read and not against an earlier word."""
    by_name: dict[str, list[Correction]] = {}
    for row in rows:
        named: dict[str, list[Correction]] = defaultdict(list)
        for correction in _CORRECTIONS.validate_json(content.read(row.content_sha256)):
            earlier = by_name.get(correction.name, [])
            named[correction.name].append(_since_it_was_read(correction, earlier))
        by_name.update(named)
    return tuple(c for name in sorted(by_name) for c in by_name[name])


def _since_it_was_read(correction: Correction, earlier: Sequence[Correction]) -> Correction:
    """A correction of a value that a person had corrected before, as one of what was read."""
    first = next((c for c in earlier if c.after is not None and c.after == correction.before), None)
    if first is None or first.before == correction.before:
        return correction
    origin = first.origin if correction.origin == "prediction" else correction.origin
    return correction.model_copy(update={"before": first.before, "origin": origin})


def _as_row(row: CorrectionRecord) -> CorrectionRow:
    return CorrectionRow(
        id=row.id,
        document_id=row.document_id,
        key=row.key,
        reviewer=row.reviewer,
        made_at=row.made_at,
        seconds=row.seconds,
        complete=row.complete,
        outcomes=row.outcomes,
        content_sha256=row.content_sha256,
    )
