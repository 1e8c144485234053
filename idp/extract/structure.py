# SPDX-License-Identifier: Apache-2.0
"""The structure source: a value is what answers a label of its field.

No training: labels and options come from the schemas, so a new document type works at once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from idp.document import Blank, Mark, Page
from idp.extract.answers import Value, candidate_of, joined, tokens_at
from idp.extract.captions import find_captions
from idp.extract.compose import composed, split_pairs
from idp.extract.labels import OTHER_PERSON, LabelTable, TitleTable
from idp.extract.near import Spot, value_of, with_broken_name
from idp.extract.options import words_of_mark
from idp.extract.ports import Candidate, Structure
from idp.extract.readings import Found, Reading
from idp.extract.sections import read_structure
from idp.extract.spelled import spelled, spelled_at
from idp.extract.tables_lines import Token
from idp.schemas import DocumentSchema, FieldSchema, Lexicon
from idp.values import Kind, find, parse

_SPOTTED = frozenset(
    {
        Kind.DATE,
        Kind.PHONE,
        Kind.EMAIL,
        Kind.NPI,
        Kind.TAX_ID,
        Kind.ICD10,
        Kind.PROCEDURE_CODE,
        Kind.MONEY,
    }
)
_KEPT_AS_PRINTED = frozenset({Kind.NPI, Kind.TAX_ID, Kind.PHONE, Kind.DATE})
"""Kinds whose misread values stay: a person mends one wrong digit faster than a blank."""
_STRENGTH = re.compile(
    r"(?i)\b\d[\d.,]*\s*(?:mg|mcg|g|ml|units?|iu|meq|%)(?:\s?/\s?[\d.]*\s*(?:ml|mg|hr?|actuation))?(?!\w)"
)
_NO_VALUE = re.compile(
    r"(?i)^(?:same as|see (?:above|below|attached)|n/?a$|none$|attach\b|please\b|if \w+)"
)
_CODE_OF = {
    "diagnosis_descriptions": "diagnosis_codes",
    "service_descriptions": "procedure_codes",
}
_WORDED = frozenset({Kind.TEXT, Kind.PERSON, Kind.ORGANIZATION, Kind.ADDRESS})
_NAMED = frozenset({Kind.PERSON, Kind.ORGANIZATION})
_WRAPS = frozenset({Kind.TEXT, Kind.ADDRESS})
_CODED = {"diagnosis_descriptions": "diagnosis_codes", "service_descriptions": "procedure_codes"}
_LISTS_IN_TEXT = frozenset({Kind.ICD10, Kind.PROCEDURE_CODE})
_ANYONE = ("member_id", "group_number", "plan")
"""Attributes that insurance boxes print without saying whose they are."""
_NOT_OURS = frozenset({"secondary_payer", "review_staff", "emergency_contact", OTHER_PERSON})
"""Whose values are nobody's, unless the type has fields for them."""
_PARTS = frozenset(
    {
        *("last_name", "first_name", "middle_name"),
        *("address", "address_2", "city", "state", "zip", "city_state_zip"),
        *("npi_and_tax_id", "phone_and_fax"),
    }
)
_GLYPH = re.compile(r"^(?:[\u25a0\u25a1\u2610-\u2612\u2611]|\[[ xX]?\]|\([xX ]?\))")
_TICKED = re.compile(r"[\u25a0\u2611\u2612xX]")
_LIST_LETTERS = 300
_APART = (",", ";", "/")
_UNDER_SIGNATURE = 6.0
"""How many text heights under the label of a signature the one of its day may stand."""
_MOST_NAME_WORDS = 9
_NAME_STOPS = re.compile(
    r"(?i)[^\w&+]+|_+|\(?(?:npi|phone|dob|d\.o\.b\.?|id|tel|fax|mrn|ssn|sex|age|#|npi#|tin|id#)[:#,.]*"
)
_LABELS_END = re.compile(r"(?i)(?:full\W?)?names?\W*")
"""The last word of a label that a narrow box has broken: "Receiving Provider" over "Name"."""
_ANSWERED_BY_INK = frozenset({Kind.OPTION, Kind.SEX, Kind.PRESENCE})
_SIGNATURE_NOISE = re.compile(r"^[\W_]*$")


class StructureSource:
    """Values by label, section, party, cell and mark."""

    name = "structure"

    def __init__(self, schemas: Sequence[DocumentSchema], lexicon: Lexicon) -> None:
        self._labels = {s.type: LabelTable(s, lexicon) for s in schemas}
        self._titles = {s.type: TitleTable(s, lexicon) for s in schemas}
        digest = hashlib.sha256(lexicon.model_dump_json().encode())
        for schema in schemas:
            digest.update(schema.model_dump_json().encode())
        self.version = digest.hexdigest()[:12]

    def read(
        self, pages: Sequence[Page], schema: DocumentSchema
    ) -> tuple[Structure, list[Reading]]:
        """The structure of a document, for this and every other source."""
        structure, readings = read_structure(
            pages, self._labels[schema.type], self._titles[schema.type]
        )
        for reading in readings:
            reading.captions = find_captions(reading)
        return structure, readings

    def is_label(self, raw: str, schema: DocumentSchema) -> bool:
        """Whether a supposed value is nothing but a printed label of the type."""
        words = raw.split()
        return len(words) <= 6 and bool(words) and self._labels[schema.type].is_label(raw)

    def candidates(
        self, pages: Sequence[Page], schema: DocumentSchema, structure: Structure
    ) -> list[Candidate]:
        """All values that stand at a label; see the port."""
        del structure
        _, readings = self.read(pages, schema)
        return self.from_readings(readings, schema)

    def from_readings(self, readings: Sequence[Reading], schema: DocumentSchema) -> list[Candidate]:
        """The same, on pages whose structure is known."""
        table = self._labels[schema.type]
        found: list[Candidate] = []
        for reading in readings:
            values = list(_answers(reading, schema))
            for value in values:
                for field in _fields_for(reading, value.found, table, schema):
                    found += _typed(reading, value, field, table, schema)
            found += composed(reading, values, table, schema)
            found += split_pairs(reading, values, table, schema)
        return found

    def blanks(self, readings: Sequence[Reading], schema: DocumentSchema) -> list[Blank]:
        """The labels that ask for one field of the type and have no answer beside or below them.

        Choices and signatures are not among them: their answer is a mark or a stroke.
        """
        table = self._labels[schema.type]
        found: list[Blank] = []
        for reading in readings:
            for label in reading.labels:
                fields = _fields_for(reading, label, table, schema)
                if len(fields) != 1 or fields[0].kind in _ANSWERED_BY_INK:
                    continue
                spot = value_of(reading, label, wraps=False)
                if spot is None or not spot.tokens:
                    tokens = reading.tokens(label)
                    found.append(
                        Blank(
                            field=fields[0].name,
                            label=reading.text(label),
                            page=reading.sheaf.page.number,
                            box=reading.sheaf.sheet.box(tokens),
                        )
                    )
        return found


def _answers(reading: Reading, schema: DocumentSchema) -> Iterator[Value]:
    """Each wanted label with what answers it."""
    for label in reading.labels:
        meaning = label.meaning
        if not meaning.fields and meaning.attribute not in _PARTS:
            continue
        kinds = {f.kind for n in meaning.fields if (f := schema.field(n))}
        wraps = bool(kinds & _WRAPS) or meaning.attribute == "address"
        spot = value_of(reading, label, wraps=wraps)
        if spot and spot.tokens and kinds and kinds <= _NAMED:
            spot = with_broken_name(reading, label, spot)
        if len(kinds) == 1 and not (spot and find(next(iter(kinds)), spot.text)):
            spot = spelled_at(reading, label, next(iter(kinds))) or spot
        if spot and spot.tokens:
            yield Value(label, spot)


def _fields_for(
    reading: Reading, found: Found, table: LabelTable, schema: DocumentSchema
) -> list[FieldSchema]:
    """Which of the fields that a label may introduce are meant, by its party."""
    meaning, party = found.meaning, found.party
    if party in _NOT_OURS and not table.knows(party):
        return []
    names: Sequence[str] = meaning.fields
    if meaning.attribute and len(names) > 1:
        own = table.fields_of(party, meaning.attribute) if party else ()
        if not own and meaning.attribute == "name" and party is None:
            own = table.fields_of("patient", "name")
        if not own and party is None:
            own = tuple(n for n in names if (table.by_name(n)[0] or "").endswith("provider"))[:1]
        names = own
    elif meaning.attribute and names and meaning.party is None and party:
        fields = table.fields_of(party, meaning.attribute)
        if fields:
            names = fields
        elif meaning.attribute not in _ANYONE and not _is_only(found, table):
            names = ()
    elif not meaning.attribute and len(names) > 1:
        kinds = {f.kind for n in names if (f := schema.field(n))}
        if len(kinds) < len(names) and kinds != {Kind.OPTION}:
            names = names[:1]
    if signed := _of_signature(reading, found, schema):
        names = signed
    names = [_beside_diagnosis(found, n, reading) for n in names]
    return [f for n in names if (f := schema.field(n))]


def _of_signature(reading: Reading, found: Found, schema: DocumentSchema) -> Sequence[str]:
    """The day of a signature, for a bare "Date" beside or just under where one signs."""
    day = schema.field("form_date")
    if day is None or not set(found.meaning.fields) & {"form_date", "submission_date"}:
        return ()
    if len(reading.tokens(found)) > 1:
        return ()
    unit = reading.sheaf.unit
    signed = any(
        "signature_present" in other.meaning.fields
        and (
            (other.row == found.row and other.start < found.start)
            or 0 < found.box[1] - other.box[1] < _UNDER_SIGNATURE * unit
        )
        for other in reading.labels
    )
    return (day.name,) if signed else ()


def _beside_diagnosis(found: Found, name: str, reading: Reading) -> str:
    """A bare "Description" or "Code" right of a diagnosis is the diagnosis's own."""
    twin = {"service_descriptions": "diagnosis_descriptions", "procedure_codes": "diagnosis_codes"}
    if name not in twin or len(reading.tokens(found)) > 1:
        return name
    left = [f for f in reading.labels if f.row == found.row and f.start < found.start]
    nearest = max(left, key=lambda f: f.start, default=None)
    if nearest and {"diagnosis_codes", "diagnosis_descriptions"} & set(nearest.meaning.fields):
        return twin[name]
    return name


def _is_only(found: Found, table: LabelTable) -> bool:
    """Whether the label's one field can't be anybody else's: the section said nothing against."""
    owner = table.by_name(found.meaning.fields[0])[0]
    return found.party in (None, owner, "payer", "subscriber") and (
        found.party != "subscriber" or found.meaning.attribute not in ("dob", "sex", "address")
    )


def _typed(  # noqa: PLR0911 - one branch per kind
    reading: Reading,
    value: Value,
    field: FieldSchema,
    table: LabelTable,
    schema: DocumentSchema,
) -> list[Candidate]:
    """Candidates out of one answer, by the kind of the field."""
    tokens = value.spot.tokens
    if field.kind in _WORDED and (
        table.is_head(value.spot.text) or _NO_VALUE.match(value.spot.text)
    ):
        return []
    if field.name in _CODE_OF and (code := schema.field(_CODE_OF[field.name])):
        spans = find(code.kind, value.spot.text)
        if spans and len(value.spot.text) < 1.6 * sum(len(s.text) for s in spans):
            return _spotted(reading, value, code, schema)
    if field.kind is Kind.OPTION or field.kind is Kind.SEX:
        return _option(reading, value, field)
    if field.kind is Kind.PRESENCE:
        return _presence(reading, value, field)
    if field.kind in _SPOTTED:
        return _spotted(reading, value, field, schema)
    if field.kind is Kind.IDENTIFIER:
        run = _identifier(tokens)
        made = (
            candidate_of(reading, value, field, run, " ".join(t.text for t in run)) if run else None
        )
        return [made] if made else []
    if field.kind in (Kind.PERSON, Kind.ORGANIZATION):
        return _name(reading, value, field, table, schema)
    if field.kind is Kind.ADDRESS and value.found.meaning.attribute == "address":
        return []  # composed with city, state and ZIP
    return _worded(reading, value, field, schema)


def _worded(
    reading: Reading, value: Value, field: FieldSchema, schema: DocumentSchema
) -> list[Candidate]:
    """Running words: as they stand, less the strength of a drug and the code they describe."""
    if field.name == "medication_name" and (strength := schema.field("medication_strength")):
        return _medication(reading, value, field, strength)
    tokens, text = value.spot.tokens, value.spot.text
    if field.kind is Kind.TEXT and not re.search(r"[A-Za-z0-9]", text):
        return []
    coded = schema.field(_CODED.get(field.name, ""))
    if coded and len(text) <= _LIST_LETTERS and find(coded.kind, text):
        # The words describe the codes that stand beside them.
        if coded.name in value.found.meaning.fields:
            return []
        return _spotted(reading, value, coded, schema)
    parts = _listed(value.spot.rows) if field.list and coded is None else [tokens]
    texts = (
        [text] if len(parts) == 1 else [" ".join(t.text for t in p).rstrip(",;/") for p in parts]
    )
    made = (candidate_of(reading, value, field, p, t) for p, t in zip(parts, texts, strict=True))
    return [one for one in made if one]


def _listed(rows: Sequence[Sequence[Token]]) -> list[list[Token]]:
    """The entries of a list in words: one a line, or apart by commas, semicolons and strokes."""
    parts: list[list[Token]] = []
    for row in rows:
        parts.append([])
        for token in row:
            if token.text not in _APART:
                parts[-1].append(token)
            if token.text.endswith(_APART):
                parts.append([])
    return [part for part in parts if part]


def _medication(
    reading: Reading, value: Value, field: FieldSchema, strength: FieldSchema
) -> list[Candidate]:
    """``Adalimumab 40 mg/0.8 mL``: the drug's name ends where its strength begins."""
    text, starts = joined(value.spot.rows[0])
    rows = value.spot.rows
    match = _STRENGTH.search(text)
    if match is None:
        one = candidate_of(reading, value, field, rows[0], text)
        return [one] if one else []
    name = tokens_at(rows[0], starts, 0, match.start())
    made = candidate_of(reading, value, field, name, text[: match.start()].strip(" ,;-"))
    own = tokens_at(rows[0], starts, match.start(), match.end())
    dose = candidate_of(reading, value, strength, own, match[0], scale=0.9)
    return [one for one in (made, dose) if one]


def _spotted(
    reading: Reading, value: Value, field: FieldSchema, schema: DocumentSchema
) -> list[Candidate]:
    """Values with a shape of their own, wherever they stand in the answer."""
    tokens = value.spot.tokens
    text, starts = joined(tokens)
    spans = find(field.kind, text)
    made: list[Candidate] = []
    many = field.list and field.kind in _LISTS_IN_TEXT
    chosen = spans if many else spans[:1]
    if not spans and (written := spelled(field.kind, tokens)):
        one = candidate_of(reading, value, field, tokens, written)
        return [one] if one else []
    for span in chosen:
        own = tokens_at(tokens, starts, span.start, span.end)
        if own and (one := candidate_of(reading, value, field, own, span.text)):
            made.append(one)
    if field.name.endswith("start_date") and len(spans) > 1:
        end = schema.field(field.name.replace("start_date", "end_date"))
        own = tokens_at(tokens, starts, spans[1].start, spans[1].end)
        if end and own and (one := candidate_of(reading, value, end, own, spans[1].text)):
            made.append(one)
    if field.name == "effective_from" and len(spans) > 1 and (end := schema.field("effective_to")):
        own = tokens_at(tokens, starts, spans[1].start, spans[1].end)
        if own and (one := candidate_of(reading, value, end, own, spans[1].text)):
            made.append(one)
    if field.kind in _LISTS_IN_TEXT and spans:
        made += _described(reading, value, field, schema)
    if not made and field.kind in _KEPT_AS_PRINTED:
        digits = [t for t in tokens if any(c.isdigit() for c in t.text)]
        if field.kind is Kind.DATE and sum(c.isdigit() for t in digits for c in t.text) > 8:
            return made
        if digits and sum(c.isdigit() for t in digits for c in t.text) >= 4:
            raw = " ".join(t.text for t in digits[:4])
            one = candidate_of(reading, value, field, digits[:4], raw, scale=0.7)
            made += [one] if one and len(raw) <= 24 else []
    return made


def _described(
    reading: Reading, value: Value, field: FieldSchema, schema: DocumentSchema
) -> list[Candidate]:
    """``M54.50 Low back pain; M25.561 ...``: the words beside a code describe it.

    Behind their code when the first code comes first, else before it.
    """
    twin = {"diagnosis_codes": "diagnosis_descriptions", "procedure_codes": "service_descriptions"}
    other = schema.field(twin.get(field.name, ""))
    if other is None:
        return []
    tokens = value.spot.tokens
    text, starts = joined(tokens)
    spans = find(field.kind, text)
    edges = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
    first = len(re.sub(r"[^A-Za-z]", "", text[: edges[1]])) < 4
    if len(spans) == 1:
        first = len(text) - spans[0].end >= spans[0].start
    gaps = [(edges[i], edges[i + 1]) for i in range(0, len(edges), 2)]
    made: list[Candidate] = []
    for begin, end in gaps[1:] if first else gaps[:-1]:
        words = tokens_at(tokens, starts, begin + bool(begin), max(begin, end - 1))
        raw = " ".join(t.text for t in words).strip(" -\u2013\u2014:;,()[]")
        if len(re.sub(r"[^A-Za-z]", "", raw)) < 4:
            continue
        one = candidate_of(reading, value, other, words, raw, scale=0.9)
        made += [one] if one else []
    return made


def _identifier(tokens: Sequence[Token]) -> list[Token]:
    """The run of tokens that makes a number: up to the first plain word behind it."""
    run: list[Token] = []
    for token in tokens[:6]:
        text = token.text.strip(".,;")
        has_digit = any(c.isdigit() for c in text)
        if has_digit and re.fullmatch(r"[A-Za-z0-9#*./()\-]+", text):
            run.append(token)
        elif run or len(text) > 4 or not re.fullmatch(r"[A-Z#*-]+", text):
            break
        else:
            run.append(token)
    while run and not any(c.isdigit() for c in run[-1].text):
        run.pop()
    total = sum(c.isalnum() for t in run for c in t.text)
    if total < 3 or (len(run) == 1 and find(Kind.DATE, run[0].text)):
        return []
    return run


def _name(
    reading: Reading,
    value: Value,
    field: FieldSchema,
    table: LabelTable,
    schema: DocumentSchema,
) -> list[Candidate]:
    """A name, and what is printed behind it: ``name - NPI``, ``name, phone``."""
    ticked = _ticked(reading, value)
    if ticked is not None:
        return ticked_name(reading, ticked, field) if ticked else []
    tokens = list(value.spot.tokens)
    while len(tokens) > 1 and _LABELS_END.fullmatch(tokens[0].text):
        tokens.pop(0)
    cut = next(
        (
            i
            for i, t in enumerate(tokens)
            if sum(c.isdigit() for c in t.text) >= 4
            or re.fullmatch(r"\(?\d{3}\)?", t.text)
            or (i and _NAME_STOPS.fullmatch(t.text))
        ),
        len(tokens),
    )
    words = tokens[:cut]
    while words and _NAME_STOPS.fullmatch(words[-1].text):
        words.pop()
    made: list[Candidate] = []
    raw = " ".join(t.text for t in words).strip(" -\u2013\u2014:;,_*")
    letters = sum(c.isalpha() for c in raw)
    if 0 < len(words) <= _MOST_NAME_WORDS and letters >= 3:
        one = candidate_of(reading, value, field, words, raw)
        made += [one] if one else []
    rest, starts = joined(tokens[cut:])
    for attribute in ("npi", "phone", "dob"):
        for name in table.fields_of(field.party, attribute) if field.party else ():
            other = schema.field(name)
            spans = find(other.kind, rest) if other else ()
            if other and spans:
                own = tokens_at(tokens[cut:], starts, spans[0].start, spans[0].end)
                extra = candidate_of(reading, value, other, own, spans[0].text, scale=0.8)
                made += [extra] if extra else []
    return made


def _ticked(reading: Reading, value: Value) -> list[Mark] | None:
    """The ticked choices where a name is picked from printed ones; ``None`` where it is written."""
    if not _has_marks(reading, value.spot):
        return None
    sheet, unit = reading.sheaf.sheet, reading.sheaf.unit
    x0, y0, y1 = value.found.box[2], value.found.box[1], value.found.box[3]
    near = [
        m
        for m in reading.sheaf.page.marks
        if m.box.x0 * sheet.width > x0 - unit
        and y0 - unit < m.box.cy * sheet.height < y1 + 2.5 * unit
    ]
    return [m for m in near if m.state == "checked"]


def ticked_name(reading: Reading, marks: Sequence[Mark], field: FieldSchema) -> list[Candidate]:
    """A name that is a ticked choice: ``[x] Amos Dellinger, MD - Spine``."""
    made: list[Candidate] = []
    for mark in marks[:1]:
        raw = re.split(r"\s[-\u2013\u2014]\s|\(", mark.label)[0].strip(" ,;")
        if sum(c.isalpha() for c in raw) < 4 or len(raw.split()) > _MOST_NAME_WORDS:
            continue
        parsed = parse(field.kind, raw)
        words = words_of_mark(reading, mark)
        box = mark.box
        for _, other in words:
            box = box.union(other)
        ids = tuple(i for i, _ in words)
        number = reading.sheaf.page.number
        made.append(
            Candidate(
                field.name, parsed.value, raw, parsed.valid, 0.7, number, box, ids, "structure"
            )
        )
    return made


def _presence(reading: Reading, value: Value, field: FieldSchema) -> list[Candidate]:
    tokens = [t for t in value.spot.tokens if not _SIGNATURE_NOISE.match(t.text)]
    text = " ".join(t.text for t in tokens)
    if not re.search(r"[A-WYZa-wyz]", text):
        return []
    made = candidate_of(reading, value, field, tokens, text)
    return [replace(made, value="yes", confidence=made.confidence * 0.9)] if made else []


def _option(reading: Reading, value: Value, field: FieldSchema) -> list[Candidate]:
    """An option written out behind its label; ticked ones are read from marks."""
    if _has_marks(reading, value.spot):
        return []
    tokens = value.spot.tokens[:6]
    text = " ".join(t.text for t in tokens)
    chosen = _by_glyph(tokens, field)
    if chosen:
        text, tokens = chosen
    made = candidate_of(reading, value, field, tokens, text)
    if made is None or not made.valid or "/" in made.value:
        return []
    return [made]


def _by_glyph(tokens: list[Token], field: FieldSchema) -> tuple[str, list[Token]] | None:
    """``[] Routine [x] Urgent`` as characters: the ticked one, or the one that lost its box."""
    groups: list[tuple[str, list[Token]]] = [("", [])]
    for token in tokens:
        glyph = _GLYPH.match(token.text)
        if glyph:
            groups.append((glyph[0], [token]))
        else:
            groups[-1][1].append(token)
    if len(groups) < 2:
        return None

    def words(group: list[Token]) -> str:
        return _GLYPH.sub("", " ".join(t.text for t in group)).strip()

    ticked = [g for glyph, g in groups if _TICKED.search(glyph)]
    bare = [g for glyph, g in groups if not glyph and g]
    chosen = ticked or (bare if len(bare) == 1 else [])
    if len(chosen) != 1 or not parse(field.kind, words(chosen[0]), options=field.options).valid:
        return None
    return words(chosen[0]), chosen[0]


def _has_marks(reading: Reading, spot: Spot) -> bool:
    tokens = spot.tokens
    y0, y1 = min(t.y0 for t in tokens), max(t.y1 for t in tokens)
    unit = reading.sheaf.unit
    return any(
        m[1] < y1 and m[3] > y0 and m[2] > tokens[0].x0 - 3 * unit and m[0] < tokens[-1].x1 + unit
        for m in reading.sheaf.marks
    )
