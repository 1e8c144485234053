# SPDX-License-Identifier: Apache-2.0
"""What letters and letterheads say without a label.

Determinations and referral letters put their values into sentences ("has been approved", "from ...
through ..."); payers stand in logos and form titles, practices in address blocks under a heading.
All of it is weaker evidence than a label, so confidences stay below those of the structure source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from idp.document import Page
from idp.extract.decisions import decision_of
from idp.extract.labels import LabelTable, TitleTable
from idp.extract.letterhead import Letterhead
from idp.extract.ports import Candidate, Structure
from idp.extract.readings import Reading
from idp.extract.sections import read_structure
from idp.extract.sentences import SENTENCES, Running, Sentence
from idp.extract.tables_lines import Token
from idp.schemas import DocumentSchema, Lexicon
from idp.values import Kind, parse


class ProseSource:
    """Values out of sentences, letterheads and address blocks."""

    name = "prose"

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._letterhead = Letterhead(lexicon)
        digest = hashlib.sha256()
        for sentence in SENTENCES:
            digest.update(f"{sentence.fields} {sentence.pattern.pattern}".encode())
        digest.update(" ".join((*lexicon.payers, *lexicon.payer_words)).encode())
        self.version = digest.hexdigest()[:12]

    def candidates(
        self, pages: Sequence[Page], schema: DocumentSchema, structure: Structure
    ) -> list[Candidate]:
        """All values that sentences and letterheads give; see the port."""
        del structure
        table, titles = LabelTable(schema, self._lexicon), TitleTable(schema, self._lexicon)
        return self.from_readings(read_structure(pages, table, titles)[1], schema)

    def from_readings(self, readings: Sequence[Reading], schema: DocumentSchema) -> list[Candidate]:
        """The same, on pages whose structure is known."""
        made: list[Candidate] = []
        for index, reading in enumerate(readings):
            running = Running.of(reading)
            for sentence in SENTENCES:
                made += _said(running, sentence, schema)
            made += _decided(running, schema)
            for found in self._letterhead.of(reading, running, schema, first=index == 0):
                if one := candidate(reading, found.field, found.tokens, found.confidence, schema):
                    made.append(one)
        return made


def candidate(
    reading: Reading, name: str, tokens: Sequence[Token], sure: float, schema: DocumentSchema
) -> Candidate | None:
    """A candidate from tokens; ``None`` when the type has no such field or nothing is left."""
    field = schema.field(name)
    if field is None or not tokens:
        return None
    raw = " ".join(t.text for t in tokens).strip(" -\u2013\u2014:;,()[]*_")
    parsed = parse(field.kind, raw, options=field.options or None)
    if not parsed.value.strip():
        return None
    read = sum(t.confidence for t in tokens) / len(tokens)
    return Candidate(
        name,
        parsed.value,
        raw,
        parsed.valid,
        round(sure * read * (1.0 if parsed.valid else 0.5), 4),
        reading.sheaf.page.number,
        reading.sheaf.box(list(tokens)),
        tuple(dict.fromkeys(i for t in tokens for i in t.word_ids)),
        "prose",
    )


def _said(running: Running, sentence: Sentence, schema: DocumentSchema) -> list[Candidate]:
    if not any(schema.field(name) for name in sentence.fields):
        return []
    made: list[Candidate] = []
    for match in sentence.pattern.finditer(running.text):
        if sentence.but_not and sentence.but_not.search(running.before(match.start(), 60)):
            continue
        for name in sentence.fields:
            field = schema.field(name)
            if field is None:
                continue
            for group in ("value", "value2", *([name] if name in match.groupdict() else [])):
                if group not in match.groupdict() or match[group] is None:
                    continue
                if group == "value2" and name in sentence.fields[:1]:
                    continue
                if (
                    group == "value"
                    and name not in sentence.fields[:1]
                    and "value2" in match.groupdict()
                ):
                    continue
                tokens = running.tokens_at(match.start(group), match.end(group))
                one = candidate(running.reading, name, tokens, sentence.sure, schema)
                if one is None:
                    continue
                raw = match[group].strip(" .,;:()")
                parsed = parse(field.kind, raw, options=field.options or None)
                if parsed.value.strip() and (parsed.valid or field.kind is Kind.TEXT):
                    made.append(replace(one, value=parsed.value, raw=raw, valid=parsed.valid))
        if sentence.once and made:
            break
    return made


def _decided(running: Running, schema: DocumentSchema) -> list[Candidate]:
    """The decision a letter announces, in the words of its first sentence that does so."""
    field = schema.field("determination")
    if field is None:
        return []
    found = decision_of(running)
    if found is None or found.value not in field.options:
        return []
    tokens = running.tokens_at(found.start, found.end)
    one = candidate(running.reading, "determination", tokens, 0.9, schema)
    if one is None:
        return []
    sure = round(found.sure * sum(t.confidence for t in tokens) / len(tokens), 4)
    return [replace(one, value=found.value, valid=True, confidence=sure)]
