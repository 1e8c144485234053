# SPDX-License-Identifier: Apache-2.0
"""The decision: whether a document leaves by itself, and every reason why it does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from idp.calibration import Calibration
from idp.document import Document, DocumentType, Field, Grade, Page, Release
from idp.knowledge import Circumstances, Knowledge
from idp.reasons import BELOW_TARGET, SAMPLED, UNPROVEN, Reason, concluded, of_finding
from idp.schemas import DocumentSchema
from idp.settings import DecisionSettings
from idp.signals import REVIEW

POLICY_VERSION = 3
"""To be raised whenever :func:`decided` would decide some document differently."""

_STRICTEST: tuple[Release, ...] = ("never", "confident", "always")
_REGISTERED = "form"
"""The source of values that were read at the known places of a registered form."""


def decided(
    document: Document,
    schema: DocumentSchema,
    policy: DecisionSettings,
    pages: Sequence[Page],
    *,
    circumstances: Circumstances | None = None,
    knowledge: Knowledge | None = None,
) -> Document:
    """``document``, whose findings are complete, with its decision and the reasons for it.

    Args:
        document: With all findings, those of other rooms too.
        schema: That of its type.
        policy: Thresholds, and whether anything may leave by itself at all.
        pages: Those of the document.
        circumstances: How it came.
        knowledge: Tells how often what models read is wrong; without it the accuracy target says
            nothing.
    """
    release = released_when(document, schema, policy, circumstances)
    reasons = [
        *_about_policy(document, schema, policy, release, circumstances),
        *_about_the_kind(document, policy),
        *_about_findings(document),
    ]
    if release != "always":
        limits = _Limits(
            document, schema, policy, pages, circumstances=circumstances, knowledge=knowledge
        )
        reasons += [*limits.doubts(), *_about_pages(pages)]
    if circumstances is not None and circumstances.drawn:
        reasons.append(
            Reason(SAMPLED, "Checked to measure how often what leaves by itself is wrong")
        )
    return concluded(document.model_copy(update={"release": release}), reasons)


def released_when(
    document: Document,
    schema: DocumentSchema,
    policy: DecisionSettings,
    circumstances: Circumstances | None = None,
) -> Release:
    """The policy for a document: that of its kind or of its folder, whichever is stricter.

    Of a kind the first of these holds: what decision.types says of the subtype, what the schema
    says of the subtype, what decision.types says of the type, what the schema says of the type.
    """
    own = next((kind for kind in schema.subtypes if kind.name == document.subtype), None)
    of_kind = (
        (policy.types.get(document.subtype) if document.subtype else None)
        or (own.release if own else None)
        or policy.types.get(document.type)
        or schema.release
    )
    of_folder = circumstances.release if circumstances is not None else None
    said = [each for each in (of_kind, of_folder) if each is not None]
    return min(said, key=_STRICTEST.index)


def percent(share: float) -> str:
    """A share for people, never rounded up."""
    return f"{int(share * 100 + 1e-9)} %"


def _about_policy(
    document: Document,
    schema: DocumentSchema,
    policy: DecisionSettings,
    release: Release,
    circumstances: Circumstances | None,
) -> Iterator[Reason]:
    if not policy.automatic:
        yield Reason("automatic_off", "Automatic release is switched off")
    if release != "never":
        return
    if circumstances is not None and circumstances.release == "never":
        yield Reason("policy_never:folder", "Its folder releases nothing by itself")
    else:
        titles = {kind.name: kind.title for kind in schema.subtypes}
        kind = document.subtype or document.type
        title = titles.get(kind, schema.title if kind == document.type else kind)
        yield Reason(f"policy_never:{kind}", f"Always seen by a person: {title}")


def _about_the_kind(document: Document, policy: DecisionSettings) -> Iterator[Reason]:
    if document.type_confidence < policy.type_threshold:
        sure = percent(document.type_confidence)
        yield Reason("type_doubtful", f"Document type is uncertain ({sure})")
    if document.type == DocumentType.OTHER and document.subtype is None:
        yield Reason("kind_unknown", "Kind of document is not recognised")


def _about_findings(document: Document) -> Iterator[Reason]:
    """What is missing first: that is what a person asks the sender for."""
    reasons = [reason for finding in document.findings if (reason := of_finding(finding))]
    yield from sorted(reasons, key=lambda reason: reason.code.startswith("rule:"))


def _about_pages(pages: Sequence[Page]) -> Iterator[Reason]:
    for page in pages:
        if page.grade is Grade.POOR:
            yield Reason("hard_to_read", f"Page {page.number} is hard to read")


class _Limits:
    """How sure each value must be, and which are not.

    What was read keeps to two targets, by the quality of its page: to accuracy_target what leaves
    by itself, to shown_target what stays closed on a reviewer's screen. Values of models keep to
    their table, those of registered forms to theirs. What the targets do not speak of (registered
    forms without a table, interchanges, and everything where there is no accuracy target) keeps to
    the thresholds of the settings, for both.
    """

    def __init__(
        self,
        document: Document,
        schema: DocumentSchema,
        policy: DecisionSettings,
        pages: Sequence[Page],
        *,
        circumstances: Circumstances | None,
        knowledge: Knowledge | None,
    ) -> None:
        self._document = document
        self._schema = schema
        self._policy = policy
        self._grades = {page.number: page.grade for page in pages}
        self._told = bool(pages) and all(page.words_source == "x12" for page in pages)
        known = circumstances is None or circumstances.layout_known or document.form is not None
        self._new_layout = not known and not self._told
        measured = knowledge is not None and policy.accuracy_target > 0
        self._target = policy.accuracy_target if measured and not self._told else None
        self._table = (knowledge.calibration if knowledge else None) or _NOTHING_MEASURED

    def doubts(self) -> Iterator[Reason]:
        """Every value and claim that is less sure than it must be; not what a person said.

        A value that is too doubtful to stay closed on the screen is a reason by itself. Those that
        are only not sure enough to leave without a person are one reason together.
        """
        unproven: dict[Grade, None] = {}
        short: dict[Grade, None] = {}
        for field in self._document.fields:
            if field.value in (None, "") or field.source == REVIEW:
                continue
            grade = self._grade(field.page)
            leaves, closed = self._limits(field, grade)
            if closed is None:
                unproven[grade] = None
            elif field.confidence < closed:
                known = self._schema.field(field.name)
                title = known.title if known else field.name
                yield Reason(
                    f"doubtful_value:{field.name}",
                    f"{title} read with {percent(field.confidence)} confidence",
                )
            elif leaves is None or field.confidence < leaves:
                short[grade] = None
        for grade in unproven:
            yield Reason(f"{UNPROVEN}:{grade}", self._said(grade))
        for grade in (each for each in short if each not in unproven):
            yield Reason(f"{BELOW_TARGET}:{grade}", self._short(grade))
        yield from self._about_claims()

    def _limits(self, field: Field, grade: Grade) -> tuple[float | None, float | None]:
        """How sure a value must be to leave by itself, and to stay closed on the screen.

        None where no threshold is proved to be enough. Nothing is opened that might leave.
        """
        about = self._schema.field(field.name)
        own = about.threshold if about else None
        table = self._table.registered if field.source == _REGISTERED else self._table
        if self._target is None or table is None:
            limit = self._of_settings(grade) if own is None else own
            return limit, limit
        leaves = table.threshold(grade, self._target)
        shown = table.threshold(grade, min(self._policy.shown_target, self._target))
        least = own or 0.0
        return (
            None if leaves is None else max(leaves, least),
            None if shown is None else max(shown, least),
        )

    def _of_settings(self, grade: Grade) -> float:
        """A fair page or a layout that nobody here has seen demands more."""
        policy = self._policy
        if grade is not Grade.GOOD or self._new_layout:
            return max(policy.field_threshold, policy.unseen_threshold)
        return policy.field_threshold

    def _about_claims(self) -> Iterator[Reason]:
        claims = self._document.claims
        if claims and self._target is not None:
            yield Reason(
                "unproven_claim",
                "How often claims are misread was never measured: they are checked by a person",
            )
            return
        for number, claim in enumerate(claims, start=1):
            if claim.confidence < self._of_settings(self._grade(claim.page)):
                sure = percent(claim.confidence)
                yield Reason("doubtful_claim", f"Claim {number} read with {sure} confidence")

    def _grade(self, page: int | None) -> Grade:
        """Of a page; a computed value stands on none and is as good as the worst of them."""
        if page is not None and page in self._grades:
            return self._grades[page]
        worst = (Grade.POOR, Grade.FAIR, Grade.GOOD)
        return min(self._grades.values(), key=worst.index, default=Grade.GOOD)

    def _said(self, grade: Grade) -> str:
        return (
            f"Nothing read from pages of {grade} quality is proved to be right in "
            f"{self._share()} of the cases: values are checked by a person"
        )

    def _short(self, grade: Grade) -> str:
        return (
            f"Values read from pages of {grade} quality are not sure enough to be right in "
            f"{self._share()} of the cases: a person looks at them"
        )

    def _share(self) -> str:
        return f"{100 * (self._target or 0):g} %"


_NOTHING_MEASURED = Calibration(source="synthetic", layouts=0, documents=0, values=0, steps={})
