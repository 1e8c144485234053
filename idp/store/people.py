# SPDX-License-Identifier: Apache-2.0
"""The people who may come in through the gate, and their sessions.

What is stored of a secret can't be used in its place: a password is an Argon2 hash, a session is
the SHA-256 of the random token that only the browser holds. Whoever was removed stays as a row,
because the record and finished reviews refer to them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from idp.errors import NotFoundError, WrongStateError
from idp.store import record
from idp.store.identity import new_id
from idp.store.tables import DocumentRecord, PersonRecord, SessionRecord

TOUCH_SECONDS = 30.0
"""A session's last use is written at most so often: a page asks for dozens of things at once."""


class Role(StrEnum):
    """What a person is here; :mod:`idp.gate` says what each may do."""

    REVIEWER = "reviewer"
    LEAD = "lead"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person; ``label_studio_user`` is who they are there, once they have been in."""

    id: str
    name: str
    role: Role
    active: bool
    created_at: dt.datetime
    has_password: bool
    locked_until: dt.datetime | None
    signed_in_at: dt.datetime | None
    label_studio_user: int | None
    must_change: bool = False
    """Somebody else chose the password: it opens nothing but its own change."""

    @property
    def actor(self) -> str:
        """What stands on the record for what they do."""
        return f"user:{self.name}"


@dataclass(frozen=True, slots=True)
class Secret:
    """What a password is compared with; for the gate alone, never shown or logged."""

    person: PersonRow
    password_hash: str | None
    locked: bool


class People:
    """Accounts and sessions."""

    _engine: sa.Engine
    _writing: sa.Engine
    _clock: Callable[[], dt.datetime]

    def add_person(
        self,
        name: str,
        role: Role,
        password_hash: str | None,
        *,
        actor: str,
        must_change: bool = False,
    ) -> PersonRow:
        """An account, or a removed one restored under its old id; names differ in more than case.

        With ``must_change`` the password opens nothing but its own change. Raises
        :class:`WrongStateError` when there is one.
        """
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            person = _find(session, name)
            if person is not None and person.active:
                raise WrongStateError(
                    f"there is a person {person.name!r} already",
                    hint="`idp users role` and `idp users password` change what there is.",
                )
            if person is None:
                action = "person_added"
                person = PersonRecord(
                    id=new_id(now), name=name.strip().lower(), created_at=now, failures=0
                )
                session.add(person)
            else:
                action = "person_restored"
            person.role, person.active = role.value, True
            _set_password(person, password_hash, must_change=must_change)
            record.append(
                session, at=now, actor=actor, action=action,
                detail={"person": person.name, "role": role.value},
            )  # fmt: skip
            return _row(person)

    def people(self, *, removed: bool = False) -> tuple[PersonRow, ...]:
        """Everybody, by name; with ``removed`` those who were removed as well."""
        with Session(self._engine) as session:
            wanted = sa.select(PersonRecord).order_by(PersonRecord.name)
            if not removed:
                wanted = wanted.where(PersonRecord.active)
            return tuple(_row(person) for person in session.scalars(wanted))

    def person(self, name: str) -> PersonRow:
        """Who has this name; raises :class:`NotFoundError`."""
        with Session(self._engine) as session:
            return _row(_get(session, name))

    def people_named(self, names: Collection[str]) -> tuple[PersonRow, ...]:
        """Those of these names that are people of ours, removed ones included."""
        with Session(self._engine) as session:
            found = session.scalars(
                sa.select(PersonRecord)
                .where(PersonRecord.name.in_(names))
                .order_by(PersonRecord.id)
            )
            return tuple(_row(person) for person in found)

    def person_of_label_studio(self, user: int) -> PersonRow | None:
        """Who ``completed_by`` means, removed people included; ``None`` for nobody of ours."""
        with Session(self._engine) as session:
            person = session.scalars(
                sa.select(PersonRecord).where(PersonRecord.label_studio_user == user)
            ).first()
            return None if person is None else _row(person)

    def set_label_studio_user(self, person_id: str, user: int) -> None:
        """Remember who a person is in Label Studio.

        A number belongs to one person: one that another held is of a Label Studio that is gone.
        """
        with Session(self._writing) as session, session.begin():
            session.execute(
                sa.update(PersonRecord)
                .where(PersonRecord.label_studio_user == user, PersonRecord.id != person_id)
                .values(label_studio_user=None)
            )
            person = session.get_one(PersonRecord, person_id)
            if person.label_studio_user != user:
                person.label_studio_user = user
                record.append(
                    session,
                    at=self._clock(),
                    actor="gate",
                    action="person_in_label_studio",
                    detail={"person": person.name, "user": user},
                )

    def set_role(self, name: str, role: Role, *, actor: str) -> PersonRow:
        """Change what a person may do, from their next request on."""
        with Session(self._writing) as session, session.begin():
            person = _get(session, name)
            before, person.role = person.role, role.value
            record.append(
                session,
                at=self._clock(),
                actor=actor,
                action="person_role_changed",
                detail={"person": person.name, "before": before, "after": role.value},
            )
            return _row(person)

    def set_password(
        self, name: str, password_hash: str | None, *, actor: str, must_change: bool = False
    ) -> PersonRow:
        """Change a password, lift a lock, and end all sessions of the person.

        With ``must_change`` somebody else chose it: it opens nothing but its own change.
        """
        with Session(self._writing) as session, session.begin():
            person = _get(session, name)
            _set_password(person, password_hash, must_change=must_change)
            ended = _end_sessions(session, person)
            record.append(
                session,
                at=self._clock(),
                actor=actor,
                action="person_password_changed",
                detail={
                    "person": person.name,
                    "sessions_ended": ended,
                    "password": password_hash is not None,
                    "must_change": must_change,
                },
            )
            return _row(person)

    def improve_password(self, person_id: str, password_hash: str) -> None:
        """The same password hashed with today's parameters; sessions go on."""
        with Session(self._writing) as session, session.begin():
            session.get_one(PersonRecord, person_id).password_hash = password_hash

    def remove_person(self, name: str, *, actor: str) -> PersonRow:
        """Shut a person out at once: no password, no session; the name stays on the record."""
        with Session(self._writing) as session, session.begin():
            person = _get(session, name)
            person.active = False
            _set_password(person, None, must_change=False)
            ended = _end_sessions(session, person)
            record.append(
                session,
                at=self._clock(),
                actor=actor,
                action="person_removed",
                detail={"person": person.name, "sessions_ended": ended},
            )
            return _row(person)

    def secret_of(self, name: str) -> Secret | None:
        """What a password is compared with; ``None`` when nobody active has the name."""
        with Session(self._engine) as session:
            person = _find(session, name)
            if person is None or not person.active:
                return None
            locked = person.locked_until is not None and person.locked_until > self._clock()
            return Secret(_row(person), person.password_hash, locked)

    def sign_in_failed(
        self, person_id: str, *, lock_after: int, lock: dt.timedelta
    ) -> dt.datetime | None:
        """Count a wrong password; every ``lock_after`` of them lock the account for ``lock``.

        Returns until when, if this one did.
        """
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            person = session.get_one(PersonRecord, person_id)
            person.failures += 1
            locked = person.failures % lock_after == 0
            if locked:
                person.locked_until = now + lock
            record.append(
                session,
                at=now,
                actor=f"user:{person.name}",
                action="sign_in_failed",
                detail={"in_a_row": person.failures, "locked": locked},
            )
            return person.locked_until if locked else None

    def open_session(
        self, person_id: str, token_sha256: str, *, lasts: dt.timedelta, how: str
    ) -> None:
        """Begin a session; ``how`` is ``password`` or ``header``. Failures are forgotten."""
        with Session(self._writing) as session, session.begin():
            now = self._clock()
            person = session.get_one(PersonRecord, person_id)
            person.failures, person.locked_until, person.signed_in_at = 0, None, now
            session.execute(sa.delete(SessionRecord).where(SessionRecord.ends_at <= now))
            session.add(
                SessionRecord(
                    token_sha256=token_sha256,
                    person_id=person_id,
                    created_at=now,
                    seen_at=now,
                    ends_at=now + lasts,
                )
            )
            record.append(
                session, at=now, actor=f"user:{person.name}", action="signed_in",
                detail={"how": how, "role": person.role},
            )  # fmt: skip

    def session_of(self, token_sha256: str, *, idle: dt.timedelta) -> PersonRow | None:
        """Whose session it is, unless it ended, lay idle too long, or its person was removed."""
        now = self._clock()
        with Session(self._engine) as session:
            found = session.execute(
                sa.select(SessionRecord, PersonRecord)
                .join(PersonRecord, PersonRecord.id == SessionRecord.person_id)
                .where(SessionRecord.token_sha256 == token_sha256, PersonRecord.active)
            ).first()
            if found is None:
                return None
            at_work, person = found
            if now >= at_work.ends_at or now >= at_work.seen_at + idle:
                return None
            stale = (now - at_work.seen_at).total_seconds() >= min(
                TOUCH_SECONDS, idle.total_seconds() / 4
            )
            row = _row(person)
        if stale:
            with Session(self._writing) as session, session.begin():
                session.execute(
                    sa.update(SessionRecord)
                    .where(SessionRecord.token_sha256 == token_sha256)
                    .values(seen_at=now)
                )
        return row

    def close_session(self, token_sha256: str) -> None:
        """Sign out; nothing happens when there is no such session."""
        with Session(self._writing) as session, session.begin():
            at_work = session.get(SessionRecord, token_sha256)
            if at_work is None:
                return
            person = session.get_one(PersonRecord, at_work.person_id)
            session.delete(at_work)
            record.append(
                session, at=self._clock(), actor=f"user:{person.name}", action="signed_out"
            )

    def note_viewed(self, person: PersonRow, document_id: str) -> None:
        """Put on the record that a person was shown a document's page image."""
        with Session(self._writing) as session, session.begin():
            document = session.get(DocumentRecord, document_id)
            record.append(
                session,
                at=self._clock(),
                actor=person.actor,
                action="page_viewed",
                arrival_id=None if document is None else document.arrival_id,
                document_id=document_id,
            )


def _find(session: Session, name: str) -> PersonRecord | None:
    return session.scalars(
        sa.select(PersonRecord).where(PersonRecord.name == name.strip().lower())
    ).first()


def _get(session: Session, name: str) -> PersonRecord:
    person = _find(session, name)
    if person is None or not person.active:
        raise NotFoundError("there is no such person", hint="`idp users list` shows who there is.")
    return person


def _set_password(person: PersonRecord, password_hash: str | None, *, must_change: bool) -> None:
    person.password_hash = password_hash
    person.must_change = must_change and password_hash is not None
    person.failures, person.locked_until = 0, None


def _end_sessions(session: Session, person: PersonRecord) -> int:
    theirs = session.scalars(
        sa.select(SessionRecord).where(SessionRecord.person_id == person.id)
    ).all()
    for each in theirs:
        session.delete(each)
    return len(theirs)


def _row(person: PersonRecord) -> PersonRow:
    return PersonRow(
        id=person.id,
        name=person.name,
        role=Role(person.role),
        active=person.active,
        created_at=person.created_at,
        has_password=person.password_hash is not None,
        locked_until=person.locked_until,
        signed_in_at=person.signed_in_at,
        label_studio_user=person.label_studio_user,
        must_change=person.must_change,
    )
