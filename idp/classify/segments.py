# SPDX-License-Identifier: Apache-2.0
"""From pages to documents: where each begins and ends, and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from idp.classify.scoring import Votes, confidence, total, votes
from idp.classify.sheet import Sheet
from idp.document import DocumentType, FormMatch, Noun, Page, RecognisedForm
from idp.schemas import DocumentSchema

CLEAR = 5.0
"""Points a page's best type must be ahead to begin another document by itself."""

STRONG = 6.0
"""Points below which a page says too little to be the first of a document."""

STRONG_OTHER = 8.0
"""The same for kinds of `other`: words of theirs (allergies, findings) stand on forms too."""

UNMISTAKABLE = 12.0
"""Points that make a page another document although the page numbers run on."""

FORM_SURE = 0.99
"""Confidence in the type of a page that was recognised as a copy of a registered form."""

_COVER, _BLANK, _SEPARATOR = "fax_cover", "blank", "separator"
_NEEDS_NO_PATIENT = frozenset({_COVER, _SEPARATOR, "junk", "invoice"})
_ENCLOSED = {
    DocumentType.PRIOR_AUTH_DETERMINATION: frozenset(
        {"appeal_letter", "consent_form", "records_request"}
    ),
    DocumentType.REMITTANCE_EOB: frozenset({"appeal_letter", "consent_form"}),
}
"""Appeal and consent forms behind a payer's letter are its enclosures, not documents sent to us."""


class Segment(Noun):
    """Consecutive pages that are one document."""

    type: DocumentType
    type_confidence: float
    subtype: str | None
    form: RecognisedForm | None = None
    pages: tuple[int, ...]


def _kind(all_votes: Votes) -> tuple[DocumentType, str | None]:
    best = all_votes.best
    return best, all_votes.subtype if best == DocumentType.OTHER else None


def _joined(before: Sheet, after: Sheet) -> bool:
    """Whether print says that two sheets belong together: numbering or the form's own code."""
    if before.numbering and after.numbering:
        (number, pages), (next_number, next_pages) = before.numbering, after.numbering
        if pages == next_pages:
            return next_number == number + 1
    if after.numbering and after.numbering[0] == 1:
        return False
    if after.numbering and not before.numbering and after.numbering[0] == 2:
        return True
    return bool(before.form_codes & after.form_codes) or _goes_on(before.items, after.items)


def _goes_on(before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether numbered items or lettered sections go on where the sheet before stopped."""
    return bool(before and after) and after[0] > 1 and 1 <= after[0] - before[-1] <= 2


def _other_patient(before: Sheet, after: Sheet) -> bool:
    """Whether both sheets print a birth date and none of them agree."""
    return bool(before.birth_dates and after.birth_dates) and not (
        before.birth_dates & after.birth_dates
    )


def _begins(document: Sequence[tuple[Sheet, Votes]], sheet: Sheet, page: Votes) -> bool:
    """Whether ``sheet`` is the first page of another document."""
    so_far = total([votes for _, votes in document])
    before = document[-1][0]
    kind, last_kind = _kind(page), _kind(so_far)
    if page.subtype == _BLANK or last_kind[1] == _BLANK:
        return kind[1] == _SEPARATOR
    joined = _joined(before, sheet)
    if _SEPARATOR in (kind[1], last_kind[1]) or last_kind[1] == _COVER:
        return kind != last_kind and (not joined or page.strongest >= STRONG)
    if kind == last_kind:
        starts_over = sheet.numbering is not None and sheet.numbering[0] == 1
        return starts_over and not joined and _other_patient(before, sheet)
    if not sheet.about_a_patient and kind[1] not in _NEEDS_NO_PATIENT:
        return False
    return _is_another(kind, last_kind, page, so_far, joined=joined)


def _is_another(
    kind: tuple[DocumentType, str | None],
    last_kind: tuple[DocumentType, str | None],
    page: Votes,
    so_far: Votes,
    *,
    joined: bool,
) -> bool:
    """Whether a page that looks like something else is clear enough to be a document.

    Pages that print ties together (a fax numbered from cover to last attachment, an enclosure)
    have to be clearer still.
    """
    if kind[0] == DocumentType.OTHER and kind[1] in _ENCLOSED.get(last_kind[0], ()):
        return False
    if so_far.strongest < STRONG and kind[0] != DocumentType.OTHER:
        return False
    if joined:
        clear = page.strongest >= UNMISTAKABLE and page.margin >= UNMISTAKABLE / 2
        return clear and kind[1] != _COVER
    enough = STRONG_OTHER if kind[0] == DocumentType.OTHER else STRONG
    return page.strongest >= enough and page.margin >= CLEAR


def split(
    pages: Sequence[Page], schemas: Mapping[DocumentType, DocumentSchema]
) -> tuple[Segment, ...]:
    """The documents in ``pages``, in order; every page belongs to exactly one.

    A page begins another document only when it clearly says so: what says little stays with the
    document before it. A fax cover in front of a document is a document of its own (`other`,
    subtype `fax_cover`): it names sender and receiver, not what is asked. Clinical notes and
    results behind a request are documents of their own too, so that their values never become
    the request's.
    """
    documents: list[list[tuple[Sheet, Votes]]] = []
    forms: list[list[FormMatch]] = []
    for page in pages:
        sheet = Sheet(page)
        seen = (sheet, votes(sheet, schemas))
        if documents and not _turns(forms[-1], documents[-1], page, seen):
            documents[-1].append(seen)
        else:
            documents.append([seen])
            forms.append([])
        if page.form is not None:
            forms[-1].append(page.form)
    return tuple(_segment(*both) for both in zip(documents, forms, strict=True))


def _turns(
    forms: Sequence[FormMatch],
    document: Sequence[tuple[Sheet, Votes]],
    page: Page,
    seen: tuple[Sheet, Votes],
) -> bool:
    """Whether a page is the first of another document, a recognised form's word first.

    Pages of one form that follow one another are one document; the same page of it again, or
    another form, is the next. What is no registered form is judged by its print.
    """
    if page.form is None:
        return _begins(document, *seen)
    if not forms:
        return page.form.page == 1 or _begins(document, *seen)
    last = forms[-1]
    return page.form.name != last.name or page.form.page <= last.page


def _segment(document: Sequence[tuple[Sheet, Votes]], forms: Sequence[FormMatch] = ()) -> Segment:
    spoken = [page for _, page in document if page.subtype != _BLANK]
    summed = total(spoken or [page for _, page in document])
    type_, subtype = _kind(summed)
    sure = confidence(summed)
    if forms:
        type_, subtype, sure = forms[0].type, None, FORM_SURE
    return Segment(
        type=type_,
        type_confidence=sure,
        subtype=subtype,
        form=RecognisedForm(name=forms[0].name, score=min(f.score for f in forms))
        if forms
        else None,
        pages=tuple(sheet.number for sheet, _ in document),
    )
