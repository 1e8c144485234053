# SPDX-License-Identifier: Apache-2.0
"""The nouns every room speaks.

A file that arrives is a packet of one or more parts, and an :class:`Envelope` says how it came.
The reader turns each raster of a part into a :class:`Page` of words, marks and ruling lines. The
classifier cuts the pages into :class:`Document` objects; extraction adds :class:`Field` and
:class:`Claim`, validation adds :class:`Finding` and the :class:`Decision`. All of them are frozen:
a stage returns a new one.

Boxes are page-relative, 0..1, origin top left, on the page as a person reads it (upright,
square pixels, deskewed).
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import ClassVar, Literal, Self

from pydantic import ConfigDict, GetCoreSchemaHandler, model_validator
from pydantic import Field as Bounded
from pydantic_core import CoreSchema, core_schema

from idp.noun import Box, Noun, Place, union_of
from idp.remittance import (
    Adjustment,
    Claim,
    Imbalance,
    ReasonGroup,
    RemittanceSummary,
    ServiceLine,
)

__all__ = [
    "Adjustment",
    "Box",
    "Claim",
    "Imbalance",
    "Noun",
    "Place",
    "ReasonGroup",
    "RemittanceSummary",
    "ServiceLine",
    "union_of",
]
"""Nouns written down elsewhere that are taken from here, like those below."""


class DocumentType(str):
    """The name of a document type. There is one schema for each, so the set is open.

    Named here are those that code speaks of; any other is one more YAML file (``docs/schemas.md``).
    """

    __slots__ = ()

    REFERRAL: ClassVar[DocumentType]
    PRIOR_AUTH_REQUEST: ClassVar[DocumentType]
    PRIOR_AUTH_DETERMINATION: ClassVar[DocumentType]
    REMITTANCE_EOB: ClassVar[DocumentType]
    OTHER: ClassVar[DocumentType]

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls, core_schema.str_schema(pattern=r"^[a-z][a-z0-9_]{1,63}$")
        )


DocumentType.REFERRAL = DocumentType("referral")
DocumentType.PRIOR_AUTH_REQUEST = DocumentType("prior_auth_request")
DocumentType.PRIOR_AUTH_DETERMINATION = DocumentType("prior_auth_determination")
DocumentType.REMITTANCE_EOB = DocumentType("remittance_eob")
DocumentType.OTHER = DocumentType("other")


class Decision(StrEnum):
    """What becomes of a document without a person: only ``AUTO`` leaves by itself."""

    AUTO = "auto"
    REVIEW = "review"
    QUARANTINE = "quarantine"


Release = Literal["never", "confident", "always"]
"""When a document leaves by itself. ``always``: also with doubtful values; never with a finding
that blocks."""


class Grade(StrEnum):
    """How well a page could be read, in words for people; not a probability."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Severity(StrEnum):
    """``BLOCK`` keeps a document from leaving by itself, ``WARN`` and ``INFO`` do not."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


class Word(Noun):
    """One printed word. ``id`` is its place row by row across the page, from 0.

    Where columns stand side by side, the order in which a person reads is that of the blocks.
    """

    id: int
    text: str
    confidence: float = Bounded(ge=0, le=1)
    box: Box
    line: int
    handwritten: bool = False


class Mark(Noun):
    """A check box or circle and what a person did to it."""

    state: Literal["checked", "unchecked"]
    box: Box
    label: str = ""
    confidence: float = Bounded(default=1.0, ge=0, le=1)


class Rule(Noun):
    """A printed ruling line."""

    orientation: Literal["horizontal", "vertical"]
    box: Box


class Cell(Noun):
    """A rectangle enclosed by ruling lines."""

    box: Box


class Barcode(Noun):
    """A barcode and its payload: foreign text, at most 2,000 characters, no control characters.

    ``complete`` is false where the payload was longer, or held characters that were replaced.
    """

    text: str = Bounded(max_length=2_000)
    symbology: str
    box: Box
    complete: bool = True


class Comb(Noun):
    """A row of cells that take one character each, from left to right.

    ``text`` has one entry per cell, empty where the cell is. The joined value is among the page's
    words.
    """

    box: Box
    cells: tuple[Box, ...]
    text: tuple[str, ...]


class Signature(Noun):
    """A place to sign and what stands there.

    ``how`` tells pen strokes from typing ("/s/ name", "electronically signed by"); a name typed
    there and nothing else is ``unsure``. ``box`` is the signature's, or the empty place's.
    """

    state: Literal["present", "absent", "unsure"]
    how: Literal["pen", "typed", ""] = ""
    label: str = ""
    box: Box


MOST_ENVELOPE_CHARACTERS = 500
"""The longest text of an :class:`Envelope`."""

INK = "ink"
"""The kind of a block of pen strokes that no word covers."""


class Block(Noun):
    """A region of the page as the layout detector or the line grouping sees it.

    A page's blocks come in reading order, and so do the ``word_ids`` in each.
    """

    kind: str
    box: Box
    text: str = ""
    confidence: float = Bounded(default=1.0, ge=0, le=1)
    word_ids: tuple[int, ...] = ()


class Glyphs(Noun):
    """Every printed character that a PDF page claims to show, in the file's own order.

    ``text`` has one code point per character, spaces where the file parts words. ``places`` holds
    six little-endian float32 per character, relative to the page as drawn: the box around its
    shape (x0, y0, x1, y1) and its origin on the base line (x, y); all 0 where it has none.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    text: str
    places: bytes


class RawPage(Noun):
    """One raster as unpacked, before reading.

    ``path`` is a grey or 1-bit image in the job's work folder; ``text_layer`` holds the words a
    born-digital PDF claims to show and ``glyphs`` its single characters (trusted only where they
    agree with the pixels).
    """

    number: int = Bounded(ge=1)
    path: str
    dpi_x: float
    dpi_y: float
    bilevel: bool = False
    text_layer: tuple[Word, ...] = ()
    glyphs: Glyphs | None = None


class FormPlace(Noun):
    """A place of a registered form on the page as read.

    ``field`` is empty where nobody asks for what stands there, or where that is ``undecided``:
    other sources may take it then. Places of one ``group`` together hold one value, of which
    ``part`` names the piece; ``option`` is what a tick there means, and ``comb`` how many cells of
    one character the place has.
    """

    box: Box
    ticks: bool = False
    field: str = ""
    part: str = ""
    option: str = ""
    group: int = 0
    comb: int = 0
    undecided: bool = False


class FormMatch(Noun):
    """The registered form that a page is a copy of, laid onto the page.

    ``printed`` holds the words that are the form's own print by id, with what remains of each
    when that print is taken away (mostly nothing).
    """

    name: str
    type: DocumentType
    page: int
    """Of the form, from 1."""
    score: float = Bounded(ge=0, le=1)
    """Share of the form's own words that were found at their places."""
    places: tuple[FormPlace, ...] = ()
    printed: dict[int, str] = Bounded(default_factory=dict)


class RecognisedForm(Noun):
    """Which registered form a document was read as, and how much of its print was found."""

    name: str
    score: float = Bounded(ge=0, le=1)


class FaxHeader(Noun):
    """The line that fax machines print along a page's top edge; its words are not the page's.

    ``sent_at`` is the sending machine's clock: naive, or aware where the line names its zone.
    ``page`` of ``pages`` is what the last machine counted.
    """

    text: str
    box: Box
    sender: str | None = None
    """Number (``NNN-NNN-NNNN``, foreign ones E.164) or what is printed in its place."""
    sender_name: str | None = None
    recipient: str | None = None
    sent_at: dt.datetime | None = None
    page: int | None = Bounded(default=None, ge=1)
    pages: int | None = Bounded(default=None, ge=1)


class Page(Noun):
    """A page as read. Pixel sizes are those of the upright, square-pixel image."""

    number: int = Bounded(ge=1)
    """Within its part, from 1."""
    part: str | None = None
    width_px: int
    height_px: int
    dpi: float
    rotation: Literal[0, 90, 180, 270] = 0
    skew_degrees: float = 0.0
    grade: Grade = Grade.GOOD
    quality: float = Bounded(default=1.0, ge=0, le=1)
    """About the share of the words that are right."""
    flaws: tuple[str, ...] = ()
    """What is wrong with the page, in words for people; empty for a good one."""
    words_source: Literal["ocr", "text_layer", "x12"] = "ocr"
    words: tuple[Word, ...] = ()
    marks: tuple[Mark, ...] = ()
    rules: tuple[Rule, ...] = ()
    cells: tuple[Cell, ...] = ()
    blocks: tuple[Block, ...] = ()
    signatures: tuple[Signature, ...] = ()
    barcodes: tuple[Barcode, ...] = ()
    combs: tuple[Comb, ...] = ()
    form: FormMatch | None = None
    fax_header: FaxHeader | None = None
    ink: float | None = Bounded(default=None, ge=0, le=1)
    """Share of the page under ink, specks and the edges left out; none where nobody looked."""
    image: str | None = None
    """Path (work folder) or sha256 (content store) of the upright page image."""
    model_versions: dict[str, str] = Bounded(default_factory=dict)

    @property
    def text(self) -> str:
        """The words in reading order, one printed line per line."""
        lines: dict[int, list[str]] = {}
        for word in self.words:
            lines.setdefault(word.line, []).append(word.text)
        return "\n".join(" ".join(words) for words in lines.values())


class Envelope(Noun):
    """How a document came: what the sidecar, the mail's headers and the fax header line say.

    None of it is read from the form itself, and none of it becomes a field. All texts are foreign:
    at most :data:`MOST_ENVELOPE_CHARACTERS` long, without control characters. ``sent_at`` is aware;
    a time that names no zone was taken in the channel's own.
    """

    sender: str | None = None
    """Fax number or station id (CSID, ANI), or mail address."""
    sender_name: str | None = None
    recipient: str | None = None
    """The number dialled (DID), or the mail address."""
    sent_at: dt.datetime | None = None
    pages_announced: int | None = Bounded(default=None, ge=1)
    """How many pages the sender says there are: "page x of y", the fax log, the sidecar."""
    subject: str | None = None
    message_id: str | None = None
    attachment: int | None = Bounded(default=None, ge=1)
    """Which attachment of the message this is, from 1."""
    transmission_id: str | None = None
    """The fax server's own number for the transmission."""
    site: str | None = None
    told_by: tuple[Literal["sidecar", "mail", "fax_header", "channel"], ...] = ()
    """Where all this was found, the most trusted first."""

    def over(self, other: Envelope | None) -> Envelope:
        """This envelope, with what it leaves open taken from a less trusted one."""
        if other is None:
            return self
        gaps = {
            name: value
            for name, value in other.model_dump(exclude={"told_by"}).items()
            if getattr(self, name) is None
        }
        told_by = (*self.told_by, *(each for each in other.told_by if each not in self.told_by))
        return self.model_copy(update={**gaps, "told_by": told_by})


class Field(Noun):
    """One extracted value with its evidence.

    ``value`` is normalised (dates ISO 8601, money a plain decimal), ``raw`` is what the page says.
    A value without a box was computed: ``derived_from`` names the fields it came from.
    """

    name: str
    value: str | None
    raw: str
    confidence: float = Bounded(ge=0, le=1)
    page: int | None = None
    box: Box | None = None
    word_ids: tuple[int, ...] = ()
    source: str
    derived_from: tuple[str, ...] = ()
    model_version: str = ""
    mended: Literal["", "repaired", "derived"] = ""
    """Whether a rule changed what was read: signs repaired by their place, or computed."""

    @model_validator(mode="after")
    def _has_evidence(self) -> Self:
        if self.box is None and not self.derived_from:
            raise ValueError(f"{self.name}: a value needs a box or the fields it is derived from")
        return self


class Blank(Noun):
    """A place of the form that asks for a field and holds nothing; ``label`` as it is printed."""

    field: str
    label: str = ""
    page: int
    box: Box | None = None


class Finding(Noun):
    """What a rule has to say: which rule, how severe, about what, and what would mend it.

    ``field``, ``page`` and ``box`` name the first of what it is about; ``fields`` and ``places``
    everything, the first included (filled in where it is about one thing only).
    """

    rule: str
    severity: Severity
    field: str | None = None
    message: str
    page: int | None = None
    box: Box | None = None
    remedy: str = ""
    """What a person can do about it, in words."""
    fields: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _is_about_its_first(cls, given: object) -> object:
        """Where nothing more is said, it is about its one field, at its one place."""
        if not isinstance(given, dict):
            return given
        about = dict(given)
        if about.get("field") is not None and not about.get("fields"):
            about["fields"] = (about["field"],)
        if about.get("page") is not None and not about.get("places"):
            about["places"] = ({"page": about["page"], "box": about.get("box")},)
        return about


class MasterMatch(Noun):
    """Who of our own directories a party of the document is, and why that is believed.

    ``matched`` names one entry; ``near`` and ``ambiguous`` leave it to a person, ``none`` says that
    the directory was asked and knows nobody alike.
    """

    directory: Literal["members", "providers", "payers"]
    party: str
    outcome: Literal["matched", "near", "ambiguous", "none"]
    canonical_id: str | None = None
    score: float = Bounded(default=0.0, ge=0, le=1)
    evidence: tuple[str, ...] = ()
    """What agrees and what does not, as ``birth date: same``; never a value."""
    edition: str = ""
    """Of the directory."""


class UrgencyEvidence(Noun):
    """One thing that says how urgent a document is: a field, a tick, a word on the cover."""

    level: Literal["routine", "urgent", "emergent"]
    what: str
    field: str | None = None
    page: int | None = None
    box: Box | None = None


class Urgency(Noun):
    """How urgent the sender says it is (FHIR request priority; X12 UM06), with the evidence.

    ``expedited`` and UM06 ``U`` are ``urgent``, UM06 ``03`` is ``emergent``.
    """

    level: Literal["routine", "urgent", "emergent"]
    evidence: tuple[UrgencyEvidence, ...] = ()


class Clock(Noun):
    """One time limit that runs for the document: since when, until when, by which rule."""

    rule: str
    title: str
    starts_at: dt.datetime
    due_at: dt.datetime
    length: str
    """As the rule says it: ``72 hours``, ``2 business days``."""
    source: str = ""


class Document(Noun):
    """One document found in a packet, from classification to decision."""

    document_id: str
    source: str
    sha256: str
    channel: str
    part: str | None = None
    """The attachment or member inside the file that the pages are of; none: the file itself."""
    part_sha256: str | None = None
    """Of the part's own bytes, where there is a part."""
    envelope: Envelope | None = None
    type: DocumentType
    type_confidence: float = Bounded(ge=0, le=1)
    subtype: str | None = None
    form: RecognisedForm | None = None
    cut_confidence: float = Bounded(default=1.0, ge=0, le=1)
    """How sure it is that the document begins and ends where it does."""
    cut_page: int | None = None
    """The page at which that is least sure; none where the file held one page or one document."""
    pages: tuple[int, ...]
    set_aside: tuple[int, ...] = ()
    """Blank pages and separator sheets next to the document's pages, kept but not part of it."""
    duplicate_of: str | None = None
    """The earlier document that this one repeats."""
    likeness: float | None = Bounded(default=None, ge=0, le=1)
    """The share of the two documents' numbers that is the same."""
    fields: tuple[Field, ...] = ()
    claims: tuple[Claim, ...] = ()
    blanks: tuple[Blank, ...] = ()
    """What the form asks for and nobody filled in, needed or not."""
    remittance: RemittanceSummary | None = None
    """Of a remittance that has claims."""
    missing: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    masters: tuple[MasterMatch, ...] = ()
    urgency: Urgency | None = None
    clocks: tuple[Clock, ...] = ()
    """Time limits that run, the first to end first."""
    priority: int | None = Bounded(default=None, ge=1, le=9)
    """1 is worked first; none: that of the channel."""
    decision: Decision = Decision.REVIEW
    reasons: tuple[str, ...] = ()
    """Why it does not leave by itself, in words: patients' data."""
    reason_codes: tuple[str, ...] = ()
    """Of each of the reasons, in their order, a code that is no patient's data."""
    release: Release | None = None
    """The policy by which it was decided whether it leaves by itself."""
    sampled: bool = False
    """Held back only to measure how often what leaves by itself is wrong."""
    rules_version: str = ""
    """Of everything that judged it: rules, schemas, requirements, policy."""
    error: str | None = None
    hint: str | None = None
    timings_ms: dict[str, float] = Bounded(default_factory=dict)
    model_versions: dict[str, str] = Bounded(default_factory=dict)

    def field(self, name: str) -> Field | None:
        """The first value of a field, or ``None``."""
        return next((f for f in self.fields if f.name == name), None)
