# SPDX-License-Identifier: Apache-2.0
"""Who judges documents: the rules with all they know, the same for new and for stored ones.

The pipeline asks it for a document just read, a replay for one that was decided before, the review
for one that a person corrected.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from idp.calibration import Calibration
from idp.clocks import Clockwork, load_clockwork
from idp.document import Document, DocumentType, Page
from idp.errors import IdpError
from idp.extract import TRUST, load_trust
from idp.knowledge import Circumstances, Knowledge
from idp.learning import Layouts, Registry, signature
from idp.masters import Directories
from idp.reductions import load_reductions
from idp.reference import Reference
from idp.requirements import Companion, load_requirements
from idp.rulebook import entries
from idp.sampling import is_drawn
from idp.schemas import DocumentSchema
from idp.settings import ChannelSettings, Settings, SiteSettings
from idp.signals import Correction, corrected
from idp.validate import JUDGING, POLICY_VERSION, validate

_KEY_BYTES = 32


def clockwork_of(settings: Settings) -> Clockwork:
    """The clocks in force, fit for all sites; raises :class:`idp.errors.RulesError`."""
    clockwork = load_clockwork(settings.rules_folder)
    for site in (SiteSettings(), *settings.sites.values()):
        clockwork.check(site)
    return clockwork


def site_of(settings: Settings, name: str | None) -> SiteSettings:
    """What is known of a site; a provider's where nothing is."""
    known = settings.sites.get(name) if name else None
    return known or SiteSettings()


class Judge:
    """Judges documents by the settings, schemas and imported knowledge in force."""

    def __init__(
        self,
        settings: Settings,
        schemas: Mapping[DocumentType, DocumentSchema],
        *,
        sample_key: bytes | None = None,
    ) -> None:
        """Loads what all documents are judged by.

        Args:
            settings: All options.
            schemas: By type.
            sample_key: The secret that the quality sample is drawn by (:func:`sample_key`); without
                one nothing is drawn.
        """
        self._settings = settings
        self._schemas = schemas
        requirements = load_requirements(settings.rules_folder, schemas)
        clockwork = clockwork_of(settings)
        self.masters = Directories(settings.masters_folder)
        reductions = load_reductions(settings.rules_folder)
        self._knowledge = Knowledge(
            masters=self.masters,
            versions=(
                ("requirements", requirements.version),
                ("clocks", clockwork.version),
                ("reductions", reductions.version),
            ),
            requirements=requirements,
            clocks=clockwork,
            reductions=reductions,
        )
        self._sample_key = sample_key
        self._registry = Registry(settings.registry_folder, settings.models_folder)
        self._calibrations: dict[str, Calibration | None] = {}
        self._layouts = _KnownLayouts(settings.registry_folder / "layouts.json")
        self._judged_by: dict[str, bytes] = {}
        self._reference = Reference.of(settings)

    def judged(
        self,
        draft: Document,
        pages: Sequence[Page],
        *,
        received_at: dt.datetime,
        arrived: Sequence[Page] = (),
        companions: Sequence[Companion] = (),
    ) -> Document:
        """The document with findings, clocks and a decision.

        Args:
            draft: As read, or as it was decided before: what an earlier judgement added is
                replaced, what other rooms found is kept.
            pages: Those of the document.
            received_at: When it arrived (aware).
            arrived: All pages of its transmission; without them nothing is said of what was
                announced.
            companions: The other documents of the same arrival (:func:`companions_of`).
        """
        schema = self._schemas[draft.type]
        knowledge = self._known()._replace(calibration=self._calibration(draft))
        circumstances = self._circumstances(draft, pages, received_at, tuple(companions))
        return validate(
            draft.model_copy(
                update={"rules_version": self._version(draft, schema, knowledge, circumstances)}
            ),
            schema,
            self._settings.decision,
            pages,
            received_at.date(),
            arrived=arrived,
            knowledge=knowledge,
            circumstances=circumstances,
        )

    def reviewed(
        self,
        document: Document,
        corrections: Sequence[Correction],
        pages: Sequence[Page],
        *,
        received_at: dt.datetime,
        arrived: Sequence[Page] = (),
        companions: Sequence[Companion] = (),
    ) -> Document:
        """The document with a reviewer's corrections, judged anew: looked up again, found again.

        Args:
            document: As it was shown.
            corrections: What the reviewer said, one per value.
            pages: Those of the document.
            received_at: When it arrived (aware).
            arrived: All pages of its transmission.
            companions: The other documents of the same arrival.
        """
        return self.judged(
            corrected(document, corrections),
            pages,
            received_at=received_at,
            arrived=arrived,
            companions=companions,
        )

    def drawn_for(self, purpose: bytes, document: Document, share: float) -> bool:
        """Whether a document is in another sample than that of quality; always in one of all.

        Without the installation's secret everything is: a control that can't draw controls all.
        """
        if share <= 0 or share >= 1:
            return share >= 1
        key = self._sample_key
        return key is None or is_drawn(key, _content_of(document), share, purpose=purpose)

    def judged_by(self, document: Document) -> bytes:
        """What the document's rules version stands for; its sha256 is that version.

        Raises:
            KeyError: This judge did not judge the document.
        """
        return self._judged_by[document.rules_version]

    def unread(self, refused: Document, *, received_at: dt.datetime) -> Document:
        """A document that can't be read, with the strictest clocks of its site."""
        clockwork = self._knowledge.clocks
        assert clockwork is not None
        came = self._circumstances(refused, (), received_at, ())
        running = clockwork.unread(received_at=received_at, site=came.site, priority=came.priority)
        return refused.model_copy(update=running._asdict())

    def _known(self) -> Knowledge:
        """What is known now: an import while the service runs counts from the next document on."""
        self._reference = self._reference.renewed()
        return self._knowledge._replace(
            reference=self._reference,
            versions=(
                *self._knowledge.versions,
                *self._reference.versions,
                *self.masters.versions,
            ),
        )

    def _circumstances(
        self,
        draft: Document,
        pages: Sequence[Page],
        received_at: dt.datetime,
        companions: tuple[Companion, ...],
    ) -> Circumstances:
        channel = self._settings.ingest.channels.get(draft.channel) or ChannelSettings()
        name = draft.envelope.site if draft.envelope else None
        share, key = self._settings.decision.quality_sample, self._sample_key
        return Circumstances(
            received_at=received_at,
            site=site_of(self._settings, name),
            release=channel.release,
            priority=channel.priority,
            companions=companions,
            layout_known=self._layouts.has(pages),
            drawn=key is not None and is_drawn(key, _content_of(draft), share),
        )

    def _calibration(self, draft: Document) -> Calibration | None:
        """What was measured of the models that read the document; none where nothing was."""
        version = draft.model_versions.get(TRUST, "")
        if version not in self._calibrations:
            self._calibrations[version] = self._find_calibration(version)
        return self._calibrations[version]

    def _find_calibration(self, version: str) -> Calibration | None:
        folders = [self._settings.models_folder]
        folders += [self._registry.folder(each.version) for each in self._registry.records()]
        for folder in folders:
            # A damaged version is told of by those who read with it.
            with suppress(IdpError):
                trust = load_trust(folder)
                if trust is not None and trust.version == version:
                    return trust.calibration
        return None

    def _version(
        self,
        draft: Document,
        schema: DocumentSchema,
        knowledge: Knowledge,
        circumstances: Circumstances,
    ) -> str:
        """The hash of everything that judges the document; what it stands for is remembered."""
        parts: dict[str, Any] = {
            f"rule {entry.rule} {entry.where}": entry.version
            for entry in entries()
            if entry.where.startswith(JUDGING)
        }
        parts["policy"] = POLICY_VERSION
        parts[f"schema {schema.type}"] = _hash(schema.model_dump_json())
        policy = self._settings.decision.model_dump(mode="json")
        parts |= {f"decision.{name}": value for name, value in policy.items()}
        parts["channel.release"] = circumstances.release
        parts["channel.priority"] = circumstances.priority
        site = circumstances.site.model_dump(mode="json")
        parts |= {f"site.{name}": value for name, value in site.items()}
        parts |= {f"knowledge {name}": version for name, version in knowledge.versions}
        measured = knowledge.calibration
        parts["calibration"] = _hash(measured.model_dump_json()) if measured else None
        parts["layouts"] = self._layouts.version
        key = self._sample_key
        parts["sample key"] = _hash(key.hex()) if key is not None else None
        content = json.dumps({"schema": "idp.rules/1", "parts": parts}, sort_keys=True).encode()
        version = hashlib.sha256(content).hexdigest()
        self._judged_by[version] = content
        return version


class _KnownLayouts:
    """The layouts that people here have corrected; looked up anew when their file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._layouts = Layouts()
        self.version: str | None = None

    def has(self, pages: Sequence[Page]) -> bool:
        """Whether the pages are a copy of such a layout."""
        self._renew()
        return bool(len(self._layouts)) and self._layouts.known(signature(pages)) is not None

    def _renew(self) -> None:
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_ino)
            if seen != self._seen:
                self.version = _hash(self._path.read_text(encoding="ascii"))
                self._layouts, self._seen = Layouts(self._path), seen
        except FileNotFoundError:
            self._layouts, self._seen, self.version = Layouts(), None, None


def sample_key(data: Path, *, make: bool) -> bytes | None:
    """The installation's secret for the quality sample; drawn once and kept with the data.

    Args:
        data: The data folder.
        make: Draw one where there is none; else none is given then.
    """
    path = data / "sample.key"
    if make and not path.exists():
        data.mkdir(mode=0o750, parents=True, exist_ok=True)
        half = path.with_name(f".sample.key.{secrets.token_hex(6)}")
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(secrets.token_hex(_KEY_BYTES).encode())
                stream.flush()
                os.fsync(stream.fileno())
            with suppress(FileExistsError):  # another process was first: theirs holds
                os.link(half, path)
        finally:
            half.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _content_of(draft: Document) -> str:
    """What names the document's content on every run: its file and where in it it begins."""
    first = draft.pages[0] if draft.pages else 0
    return f"{draft.sha256}/{draft.part or ''}/{first}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def companions_of(document: Document, arrival: Sequence[Document]) -> tuple[Companion, ...]:
    """The other documents of an arrival, as :meth:`Judge.judged` wants them."""
    return tuple(
        Companion(other.type, other.subtype, len(other.pages), other.fields)
        for other in arrival
        if other.document_id != document.document_id and other.error is None
    )
