# SPDX-License-Identifier: Apache-2.0
"""From pages to documents: where each begins and ends, and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from idp.classify.boundaries import Seen, evidence, kind_of, probability
from idp.classify.scoring import MOST_UNKNOWN, confidence, total
from idp.classify.sheets_between import Between, between
from idp.cutting import PageCut
from idp.document import DocumentType, Noun, Page, RecognisedForm
from idp.schemas import DocumentSchema, Separator, load_separators

FORM_SURE = 0.99
"""Confidence in what a recognised copy of a registered form says: its type, and its first page."""

CUT = 0.5
"""Another document begins where that is more likely than not."""

_BLANK = "blank"
_MESSAGE = "message"
_SAID_IN_MAILS = frozenset({"records_request", "appeal_letter", "junk"})
"""Kinds of `other` that people write as a mail, and that have a way of their own."""


class Segment(Noun):
    """Consecutive pages that are one document, with the sheets next to them that are none."""

    type: DocumentType
    type_confidence: float
    subtype: str | None
    form: RecognisedForm | None = None
    pages: tuple[int, ...]
    set_aside: tuple[int, ...] = ()
    """Blank pages and separator sheets between or behind its pages (before the first: in front)."""
    cut_confidence: float = 1.0
    """How likely it is that the document begins and ends where it does."""
    cut_page: int | None = None
    """The page at which that is least sure; none where there was nothing to decide."""


class _Cut(NamedTuple):
    """Whether another document begins with a page, and how sure that is."""

    page: int
    begins: bool
    sure: float


class _Open:
    """A document that pages are still added to."""

    def __init__(self, cut: _Cut | None) -> None:
        self.pages: list[Seen] = []
        self.set_aside: list[int] = []
        self.cuts = [cut] if cut is not None else []


def split(
    pages: Sequence[Page],
    schemas: Mapping[DocumentType, DocumentSchema],
    separators: Sequence[Separator] | None = None,
    *,
    message_text: bool = False,
) -> tuple[Segment, ...]:
    """The documents in ``pages``, in order; every page is in exactly one, or set aside next to one.

    Print decides (:mod:`idp.classify.boundaries`), separator sheets and registered forms decide
    surely. A fax cover in front of a document is a document of its own (`other`, subtype
    `fax_cover`): it names sender and receiver, not what is asked. Clinical notes and results
    behind a request are documents of their own too, so that their values never become the
    request's. A packet of nothing but white pages is one document of those.

    Args:
        pages: As read, in order.
        schemas: By type, for what a page looks like.
        separators: Barcodes that part documents; by default those that are shipped.
        message_text: The pages are the text of a mail. What is none of the wanted types there is a
            `message`, however much its words sound like a cover sheet's or a clinical note's.
    """
    wanted = load_separators() if separators is None else separators
    documents: list[_Open] = []
    in_front: list[int] = []
    parted = False
    for page in pages:
        seen = Seen(page, schemas)
        what = between(seen, wanted)
        if what in (Between.BLANK, Between.SEPARATOR):
            (documents[-1].set_aside if documents else in_front).append(page.number)
            parted = parted or what is Between.SEPARATOR
            continue
        cut = (
            _cut(documents[-1].pages, seen, parted=parted or what is Between.FIRST_PAGE)
            if documents
            else None
        )
        parted = False
        if cut is None or cut.begins:
            if cut is not None:
                documents[-1].cuts.append(cut)
            documents.append(_Open(cut))
        else:
            documents[-1].cuts.append(cut)
        documents[-1].pages.append(seen)
    if not documents:
        return _nothing_but_sheets(pages, schemas)
    documents[0].set_aside[:0] = in_front
    return tuple(_segment(document, schemas, message_text=message_text) for document in documents)


def split_as(
    pages: Sequence[Page],
    schemas: Mapping[DocumentType, DocumentSchema],
    said: Mapping[int, PageCut],
    *,
    apart: bool = False,
) -> tuple[Segment, ...]:
    """The documents that a person made of ``pages``: the cuts are sure, and so are the types named.

    A page that nobody spoke of goes on; one that goes on after a gap in the numbers, or first of
    all, starts a document, of the type that the person's own started with. Pages left out are set
    aside next to a document. Where all are left out they are one `other` document, so that nothing
    is lost, unless they stand ``apart``.

    Args:
        pages: Those that are to be cut, in order.
        schemas: By type.
        said: What the person said of each, by number.
        apart: Other documents of the packet stay as they are.
    """
    documents: list[tuple[_Open, PageCut | None]] = []
    in_front: list[int] = []
    before: int | None = None
    for page in pages:
        cut = said.get(page.number)
        after_gap = before is not None and page.number != before + 1
        before = page.number
        if cut is not None and cut.says == "left_out":
            (documents[-1][0].set_aside if documents else in_front).append(page.number)
            continue
        starts = cut is not None and cut.says == "starts"
        if starts or after_gap or not documents:
            documents.append((_Open(None), cut if starts else _start_before(page.number, said)))
        documents[-1][0].pages.append(Seen(page, schemas))
    if not documents:
        return () if apart else tuple(map(_left_out, _nothing_but_sheets(pages, schemas)))
    documents[0][0].set_aside[:0] = in_front
    return tuple(_said(_segment(document, schemas), cut, document) for document, cut in documents)


def _start_before(number: int, said: Mapping[int, PageCut]) -> PageCut | None:
    """The page that a person said starts what a page goes on with; it is another document's now."""
    starts = [each for each in said.values() if each.says == "starts" and each.number < number]
    return max(starts, key=lambda each: each.number, default=None)


def _left_out(segment: Segment) -> Segment:
    return segment.model_copy(
        update={"type": DocumentType.OTHER, "subtype": None, "form": None, "type_confidence": 1.0}
    )


def _said(segment: Segment, cut: PageCut | None, document: _Open) -> Segment:
    """The segment with the type that a person gave it; of `other` its print says the kind."""
    if cut is None or cut.type is None:
        return segment
    subtype = cut.subtype
    if cut.type == DocumentType.OTHER and subtype is None:
        subtype = total([seen.votes for seen in document.pages]).subtype
    form = segment.form if segment.type == cut.type else None
    return segment.model_copy(
        update={"type": cut.type, "subtype": subtype, "type_confidence": 1.0, "form": form}
    )


def _nothing_but_sheets(
    pages: Sequence[Page], schemas: Mapping[DocumentType, DocumentSchema]
) -> tuple[Segment, ...]:
    """White pages and separator sheets alone: one document, so that a person can see them."""
    if not pages:
        return ()
    document = _Open(None)
    document.pages.extend(Seen(page, schemas) for page in pages)
    return (_segment(document, schemas),)


def _cut(document: Sequence[Seen], seen: Seen, *, parted: bool) -> _Cut:
    """Whether a page is the first of another document; a recognised form's word goes first.

    Pages of one form that follow one another are one document; the same page of it again, or
    another form, is the next. What is no registered form is judged by its print.
    """
    number = seen.page.number
    if parted:
        return _Cut(number, begins=True, sure=1.0)
    form = seen.page.form
    forms = [each.page.form for each in document if each.page.form is not None]
    if form is not None and forms:
        last = forms[-1]
        begins = form.name != last.name or form.page <= last.page
        return _Cut(number, begins=begins, sure=FORM_SURE)
    if form is not None and form.page == 1:
        return _Cut(number, begins=True, sure=FORM_SURE)
    likely = probability(evidence(document, seen))
    return _Cut(number, begins=likely >= CUT, sure=max(likely, 1 - likely))


def _segment(
    document: _Open,
    schemas: Mapping[DocumentType, DocumentSchema],
    *,
    message_text: bool = False,
) -> Segment:
    spoken = [seen.votes for seen in document.pages if seen.votes.subtype != _BLANK]
    summed = total(spoken or [seen.votes for seen in document.pages])
    type_, subtype = kind_of(summed)
    sure = confidence(summed)
    forms = [seen.page.form for seen in document.pages if seen.page.form is not None]
    if subtype is not None and _is_too_long(subtype, len(document.pages), schemas):
        subtype, sure = None, min(sure, MOST_UNKNOWN)
    if message_text and type_ == DocumentType.OTHER and subtype not in _SAID_IN_MAILS:
        subtype = _MESSAGE
    if forms:
        type_, subtype, sure = forms[0].type, None, FORM_SURE
    worst = min(document.cuts, key=lambda cut: cut.sure, default=None)
    return Segment(
        type=type_,
        type_confidence=sure,
        subtype=subtype,
        form=RecognisedForm(name=forms[0].name, score=min(f.score for f in forms))
        if forms
        else None,
        pages=tuple(seen.page.number for seen in document.pages),
        set_aside=tuple(document.set_aside),
        cut_confidence=round(worst.sure, 4) if worst else 1.0,
        cut_page=worst.page if worst else None,
    )


def _is_too_long(subtype: str, pages: int, schemas: Mapping[DocumentType, DocumentSchema]) -> bool:
    """Whether a document has more pages than its kind ever has."""
    kinds = schemas[DocumentType.OTHER].subtypes
    most = next((kind.most_pages for kind in kinds if kind.name == subtype), None)
    return most is not None and pages > most
