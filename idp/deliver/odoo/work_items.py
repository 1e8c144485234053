# SPDX-License-Identifier: Apache-2.0
"""The work item of a document and what is put on people's lists, as rows of a parcel."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from idp.deliver.odoo import server
from idp.deliver.odoo.facts import Circumstances, Facts
from idp.deliver.odoo.mapping import (
    MOST_TITLE_SIGNS,
    OPEN_COLUMNS,
    ActivityRule,
    General,
    Parts,
    WorkRule,
)
from idp.deliver.odoo.parcel import Cell, Find, Link, Row
from idp.deliver.odoo.wording import joined

WORK = "work"
"""The role of the work item."""
_NOT_IN_ROLES = re.compile(r"[^a-z0-9_]+")
_MOST_NOTE_SIGNS = 1000


@dataclass(frozen=True, slots=True)
class Existing:
    """A record that is there already."""

    model: str
    record_id: int


@dataclass(frozen=True, slots=True)
class Context:
    """What the rows of one document are made from."""

    facts: Facts
    general: General
    circumstances: Circumstances
    models: server.Models
    company: str | None
    partner: Find | None

    def title(self, parts: Parts, most: int = MOST_TITLE_SIGNS) -> str:
        """Text that everybody may see."""
        return joined(parts, self.facts.open, between=self.general.between, most=most)


def work_row(rules: Iterable[WorkRule], context: Context) -> tuple[Row | None, WorkRule | None]:
    """The work item by the first rule that the server and the document allow."""
    for rule in rules:
        if rule.model not in context.models:
            continue
        cells = _payment(rule, context) if rule.model == "account.payment" else _item(rule, context)
        if cells is not None:
            extra = {name: each.fill(_values(name, context)) for name, each in rule.values.items()}
            cells.update({name: said for name, said in extra.items() if said})
            return Row(WORK, rule.model, cells, once=True), rule
    return None, None


def activity_rows(
    rule: ActivityRule, target: Row | Existing, assignee: str | None, context: Context
) -> tuple[Row, ...]:
    """One activity for each missing item, at most as many as the rule says."""
    values = context.facts.open
    rows = []
    for item in context.facts.items[: rule.most]:
        said = {**values, "item.label": (item.label,), "item.name": (item.key,)}
        role = f"activity_{_NOT_IN_ROLES.sub('_', item.key.casefold())[:60]}"
        rows.append(_activity(role, rule, target, assignee, context=context, values=said))
    return tuple(rows)


def arrival_row(
    rule: ActivityRule, target: Existing, assignee: str | None, context: Context
) -> Row:
    """What tells people that something came that belongs to their work item."""
    return _activity(
        "activity_arrived", rule, target, assignee, context=context, values=context.facts.open
    )


def deadline_row(
    rule: ActivityRule, target: Row, assignee: str | None, context: Context
) -> Row | None:
    """An activity for the first clock, where the work item has no column for a deadline."""
    clocks = context.facts.open.get("clocks", ())
    if not clocks or context.facts.due_at is None:
        return None
    if server.has(context.models, target.model, "date_deadline"):
        return None
    row = _activity(
        "activity_deadline", rule, target, assignee, context=context, values=context.facts.open
    )
    due = server.day(context.facts.due_at, context.circumstances.zone)
    cells = {**row.cells, "summary": clocks[0], "date_deadline": due}
    return Row(row.role, row.model, cells, once=True)


def _activity(
    role: str,
    rule: ActivityRule,
    target: Row | Existing,
    assignee: str | None,
    *,
    context: Context,
    values: Mapping[str, tuple[str, ...]],
) -> Row:
    circumstances, facts = context.circumstances, context.facts
    due = circumstances.today + dt.timedelta(days=rule.days)
    if facts.due_at is not None:
        # Before the clock ends, but not in the past: what lacks is asked for at once then.
        ends = facts.due_at.astimezone(circumstances.zone).date()
        due = max(min(due, ends), circumstances.today)
    cells: dict[str, Cell] = {
        "res_model_id/id": server.model_id(context.models, target.model),
        "res_id": Link(target.role) if isinstance(target, Row) else target.record_id,
        "summary": joined(
            rule.summary, values, between=context.general.between, most=MOST_TITLE_SIGNS
        ),
        "date_deadline": due.isoformat(),
    }
    if rule.note:
        note = joined(rule.note, values, between=context.general.between, most=_MOST_NOTE_SIGNS)
        cells["note"] = html.escape(note)
    if "." in rule.type:
        cells["activity_type_id/id"] = rule.type
    else:
        cells["activity_type_id"] = server.named("mail.activity.type", rule.type)
    if login := rule.user or assignee:
        cells["user_id"] = server.user(login)
    return Row(role, "mail.activity", cells, once=True)


def _item(rule: WorkRule, context: Context) -> dict[str, Cell]:
    """The cells of a task, lead or ticket."""
    models, model = context.models, rule.model
    cells: dict[str, Cell] = {
        "name": context.title(rule.title),
        "description": _description(rule, context),
    }
    if rule.project:
        cells["project_id"] = server.named("project.project", rule.project, required=True)
    if rule.team:
        team = server.relation(models, model, "team_id") or "crm.team"
        cells["team_id"] = server.named(team, rule.team, required=True)
    if rule.stage:
        cells["stage_id"] = _stage(rule, context)
    if rule.assignee:
        if server.has(models, model, "user_ids"):
            cells["user_ids"] = (server.user(rule.assignee),)
        else:
            cells["user_id"] = server.user(rule.assignee)
    level = context.facts.open["document.urgency"][0]
    if priority := server.step(models, model, _step(context.general, level)):
        cells["priority"] = priority
    if rule.deadline == "first_clock" and context.facts.due_at is not None:
        due = server.deadline(
            models, model, "date_deadline", context.facts.due_at, context.circumstances.zone
        )
        if due:
            cells["date_deadline"] = due
    if rule.tags and (tags := server.relation(models, model, "tag_ids")):
        make = tags in context.general.make_tags
        cells["tag_ids"] = tuple(server.named(tags, tag, make=make) for tag in rule.tags)
    if rule.partner and context.partner is not None:
        cells["partner_id"] = context.partner
    # A task is of its project's company: another one is refused.
    if context.company and model != "project.task" and server.has(models, model, "company_id"):
        cells["company_id"] = server.named("res.company", context.company, required=True)
    return cells


def _payment(rule: WorkRule, context: Context) -> dict[str, Cell] | None:
    """The cells of a draft payment; none where the amount is not known, or nothing was paid."""
    said = context.facts.all
    try:
        amount = Decimal(next(iter(said.get("payment_amount", ())), ""))
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount <= 0:
        return None
    date = next(iter(said.get("payment_date") or said.get("issue_date") or ()), None)
    memo = "memo" if server.has(context.models, rule.model, "memo") else "ref"
    cells: dict[str, Cell] = {
        "payment_type": "inbound",
        "partner_type": "customer",
        "amount": str(amount),
        memo: context.title(rule.title),
        "journal_id": Find("account.journal", (("code", "=", rule.journal or ""),), required=True),
    }
    if date:
        cells["date"] = date
    if rule.partner and context.partner is not None:
        cells["partner_id"] = context.partner
    return cells


def _stage(rule: WorkRule, context: Context) -> Find:
    stages = server.relation(context.models, rule.model, "stage_id") or "project.task.type"
    domain: list[tuple[str, str, str | int | bool]] = [("name", "=", rule.stage or "")]
    if stages == "project.task.type" and rule.project:
        domain.append(("project_ids.name", "=", rule.project))
    return Find(stages, tuple(domain))


def _step(general: General, level: str) -> str:
    return {str(name): each for name, each in general.priority.items()}.get(level, "0")


def _description(rule: WorkRule, context: Context) -> str:
    """One line each; escaped where the column holds HTML, which is what a foreign text may hold."""
    lines = [text for line in rule.description for text in line.each(context.facts.open)]
    kind = context.models.get(rule.model, {}).get("description", {}).get("type", "html")
    if kind != "html":
        return "\n".join(lines)
    return f"<p>{'<br/>'.join(html.escape(line) for line in lines)}</p>" if lines else ""


def _values(column: str, context: Context) -> Mapping[str, tuple[str, ...]]:
    """What may be said in a column."""
    return context.facts.open if column in OPEN_COLUMNS else context.facts.all
