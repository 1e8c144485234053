# SPDX-License-Identifier: Apache-2.0
"""A reviewer who knows what is on the paper and puts the screen right with few keys.

What is open and right costs nothing but the way past it; what is wrong is mended in its input;
what is closed was not asked for and is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from idp.review.claims_table import table_of
from idp.review.form import Shown, form_of, options_of
from idp.review.screens import CLAIMS_OPEN
from idp.schemas import DocumentSchema
from idp.values import Kind
from tests.review.chromium import Reviewer
from tests.review.paperwork import Paper, same

_MOST_STEPS = 150


class Typist:
    """One document on the screen, to be put right and submitted."""

    def __init__(self, reviewer: Reviewer, paper: Paper, schema: DocumentSchema) -> None:
        self._reviewer = reviewer
        self._paper = paper
        form = form_of(paper.document, paper.pages, schema)
        self._opened = {each.schema.name: each for each in form.opened}
        self._order = [*([CLAIMS_OPEN] if paper.rows else []), *self._opened]
        self._stops = {CLAIMS_OPEN, *(each.schema.name for each in form.to_check)}
        self.wrong = {name for name, shown in self._opened.items() if self._is_wrong(shown)}
        """Open fields that don't hold what is printed."""
        self.rows = self._rows_to_write()
        """Rows of the claims table that don't, as shown, and what they should be."""
        self.unseen = sum(
            self._is_wrong(each) for each in form.fields if not each.opened and each.values
        )
        """Closed fields that hold something wrong: nobody is asked for them."""

    def put_right(self) -> None:
        """All that is open holds what is printed; nothing is submitted yet."""
        wanted, rows = set(self.wrong), dict(self.rows)
        for _ in range(_MOST_STEPS):
            at = self._reviewer.focus()
            name = str(at["name"])
            if name == CLAIMS_OPEN and at["value"] in rows:
                self._reviewer.replace(at["value"], rows.pop(at["value"]))
            elif name in wanted:
                self._mend(self._opened[name], at)
                wanted.discard(name)
            if not wanted and not rows:
                return
            assert name != "submit", f"never came past {sorted(wanted)} and {len(rows)} rows"
            self._reviewer.press(self._way_on(name, wanted | ({CLAIMS_OPEN} if rows else set())))
        raise AssertionError(f"never came past {sorted(wanted)} and {len(rows)} rows")

    def _way_on(self, name: str, wanted: set[str]) -> str:
        """Enter goes to the next doubtful field, Tab to the next one that is shown."""
        here = self._order.index(name) if name in self._order else -1
        if name == CLAIMS_OPEN and CLAIMS_OPEN in wanted:
            return "Enter"
        later = self._order[here + 1 :]
        coming = next((each for each in later if each in wanted), None)
        if coming is None:
            return "Tab" if name == CLAIMS_OPEN else "Enter"
        stop = next((each for each in later if each in self._stops), None)
        reached = stop is not None and later.index(stop) <= later.index(coming)
        return "Enter" if reached else "Tab"

    def _is_wrong(self, shown: Shown) -> bool:
        if shown.schema.name not in self._paper.truth:
            return False
        printed = self._paper.truth[shown.schema.name]
        return len(printed) != len(shown.values) or not all(
            same(shown.schema, one, other) for one, other in zip(printed, shown.values, strict=True)
        )

    def _mend(self, shown: Shown, at: Mapping[str, Any]) -> None:
        printed = self._paper.truth.get(shown.schema.name, ())
        if options_of(shown.schema):
            self._choose(printed, at)
            return
        left = list(printed)
        kept = [self._taken(shown, value, left) for value in shown.values]
        wrong = [place for place, is_kept in enumerate(kept) if not is_kept]
        parts = shown.schema.kind is not Kind.TEXT
        for place in range(max(len(shown.values), 1)):
            last = place == max(len(shown.values), 1) - 1
            if place:
                self._reviewer.press("Tab")
            before = shown.values[place] if shown.values else ""
            after = before
            if place in wrong or not shown.values:
                after = left.pop(0) if left else ""
            if last and left and parts:
                # What is left over goes into the last input, parted by semicolons.
                after = "; ".join(filter(None, [after, *left]))
                left.clear()
            if after != before:
                self._reviewer.replace(before, after)
        for text in left:
            self._reviewer.press("Alt+Enter")
            self._reviewer.wait_for_entry()
            self._reviewer.type(text)

    def _taken(self, shown: Shown, value: str, left: list[str]) -> bool:
        """Whether a shown value is printed; it is taken out of what is left then."""
        found = next((text for text in left if same(shown.schema, text, value)), None)
        if found is not None:
            left.remove(found)
        return found is not None

    def _choose(self, printed: tuple[str, ...], at: Mapping[str, Any]) -> None:
        chosen = set(filter(None, at["value"].split("; ")))
        for place, option in enumerate(at["options"], start=1):
            if (option in printed and option not in chosen) or (not printed and option in chosen):
                self._reviewer.press(str(place))

    def _rows_to_write(self) -> dict[str, str]:
        table = table_of(self._paper.document)
        wanted: dict[str, str] = {}
        for row in table.opened:
            cells = self._paper.rows.get(row.key)
            if cells is None:
                continue
            right = row._replace(cells=tuple(cells[name] for name in table.columns(row.line)))
            # An input holds no blanks at its ends.
            if right.cells != row.cells:
                wanted[table.written(row)] = table.written(right)
        return wanted
