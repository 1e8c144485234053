# SPDX-License-Identifier: Apache-2.0
"""Which clock runs for which document, when it ends, and how its files are checked."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from idp.clocks import load_clockwork
from idp.document import (
    Box,
    Claim,
    Document,
    DocumentType,
    Field,
    MasterMatch,
    Urgency,
)
from idp.errors import RulesError
from idp.schemas import load_schemas
from idp.settings import SHIPPED_RULES, SiteSettings

NEW_YORK = "America/New_York"
PROVIDER = SiteSettings(role="provider", timezone=NEW_YORK)
PAYER = SiteSettings(role="payer", timezone=NEW_YORK)
MONDAY = dt.datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo(NEW_YORK))
URGENT, ROUTINE = Urgency(level="urgent"), Urgency(level="routine")
BOX = Box(0.1, 0.1, 0.3, 0.12)
CLOCKWORK = load_clockwork(None)


def document(
    type_: str, subtype: str | None = None, *, claims: Any = (), **values: str
) -> Document:
    fields = tuple(
        Field(name=n, value=v, raw=v, confidence=0.99, page=1, box=BOX, source="test")
        for n, v in values.items()
    )
    return Document(
        document_id="d",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=DocumentType(type_),
        type_confidence=0.99,
        subtype=subtype,
        pages=(1,),
        fields=fields,
        claims=claims,
    )


def ends(
    found: Document,
    urgency: Urgency | None = None,
    site: SiteSettings = PROVIDER,
    received: dt.datetime = MONDAY,
) -> dict[str, str]:
    """Rule and title -> when it ends, local."""
    running = CLOCKWORK.running(found, urgency, received_at=received, site=site, priority=5)
    return {
        f"{clock.rule} {clock.title}": clock.due_at.astimezone(ZoneInfo(NEW_YORK)).isoformat()[:16]
        for clock in running.clocks
    }


REQUEST = document("prior_auth_request", procedure_codes="73721")
DRUG = document("prior_auth_request", medication_name="Adalimumab")


@pytest.mark.parametrize(
    ("found", "urgency", "line", "expected"),
    [
        (REQUEST, URGENT, None, ("T1", "2026-03-05T10:00")),
        (REQUEST, URGENT, "medicaid", ("T1", "2026-03-05T10:00")),
        (REQUEST, ROUTINE, None, ("T2", "2026-03-09T10:00")),
        (REQUEST, None, "medicare_advantage", ("T2", "2026-03-09T10:00")),
        (REQUEST, None, "qhp_ffe", ("T2", "2026-03-17T10:00")),  # CMS-0057-F leaves it out
        (DRUG, URGENT, None, ("T1", "2026-03-03T10:00")),
        (DRUG, ROUTINE, "part_d", ("T2", "2026-03-05T10:00")),
        (DRUG, ROUTINE, "medicaid", ("T2", "2026-03-03T10:00")),
        (DRUG, ROUTINE, None, ("T2", "2026-03-03T10:00")),  # not known: the strictest
    ],
)
def test_a_payer_that_receives_a_request_decides_in_time(found, urgency, line, expected):
    site = PAYER.model_copy(update={"line_of_business": line})
    told = {key.split()[0]: end for key, end in ends(found, urgency, site).items()}
    assert told[expected[0]] == expected[1]
    assert ("T5" in told) is (found is REQUEST)


def test_the_shorter_limits_hold_from_2026_on():
    december = dt.datetime(2025, 12, 30, 10, 0, tzinfo=ZoneInfo(NEW_YORK))
    title = "T2 Decide the standard request"
    line = PAYER.model_copy(update={"line_of_business": "medicaid"})
    assert ends(REQUEST, ROUTINE, line, december)[title] == "2026-01-13T10:00"
    january = december + dt.timedelta(days=2)
    assert ends(REQUEST, ROUTINE, line, january)[title] == "2026-01-08T10:00"


def test_effective_dates_are_those_of_the_sites_own_day():
    late = dt.datetime(2026, 1, 1, 3, 0, tzinfo=dt.UTC)  # still the old year in New York
    line = PAYER.model_copy(update={"line_of_business": "medicaid"})
    assert ends(REQUEST, ROUTINE, line, late)["T2 Decide the standard request"].startswith(
        "2026-01-14"
    )


def test_asking_for_more_takes_two_business_days():
    assert ends(REQUEST, ROUTINE, PAYER)["T5 Decide, or say what is missing"] == "2026-03-04T23:59"


def test_a_provider_has_other_clocks_for_the_same_request():
    assert set(ends(REQUEST, URGENT)) == {"T8 Look at it at once"}


@pytest.mark.parametrize(
    ("values", "end"),
    [
        ({"appeal_deadline": "2026-04-15"}, "2026-04-15T17:00"),
        ({"appeal_deadline": "2026-04-18"}, "2026-04-17T17:00"),  # a Saturday: the day before
        ({"appeal_deadline_days": "180"}, "2026-08-28T17:00"),
        ({"payer_name": "Sunrise Medicaid"}, "2026-04-30T17:00"),
        ({"plan_name": "Gold Medicare Advantage"}, "2026-05-05T17:00"),
        ({}, "2026-04-30T17:00"),  # not known: the shortest
        ({"appeal_deadline": "2016-04-15"}, "2026-04-30T17:00"),  # misread: before the decision
        ({"determination_date": "2062-03-01"}, "2026-05-01T17:00"),  # misread: from receipt
    ],
)
def test_a_denial_is_appealed_by_its_own_date_else_by_the_payers_limit(values, end):
    letter = document(
        "prior_auth_determination",
        **({"determination": "denied", "determination_date": "2026-03-01"} | values),
    )
    assert ends(letter)["T6 Appeal the denial"] == end


def test_an_approval_has_nothing_to_appeal():
    letter = document("prior_auth_determination", determination="approved")
    assert set(ends(letter)) == {"T8 Look at it"}


def denied(carc: str, paid: str = "0.00") -> tuple[Claim, ...]:
    return (Claim(carc=carc, paid=Decimal(paid), service_date=dt.date(2026, 1, 15)),)


@pytest.mark.parametrize(
    ("claims", "rules"),
    [
        (denied("197"), {"T6 Appeal the denied claims", "T8 Post the remittance"}),
        (denied("CO-29"), {"T6 Appeal the denied claims", "T8 Post the remittance"}),
        (
            denied("16"),
            {
                "T6 Appeal the denied claims",
                "T6 File the claims again, with what they lacked",
                "T8 Post the remittance",
            },
        ),
        (denied("45"), {"T8 Post the remittance"}),  # contractual, no denial
        (denied("197", "80.00"), {"T8 Post the remittance"}),
    ],
)
def test_denied_claims_start_the_denial_queue(claims, rules):
    found = document("remittance_eob", claims=claims, issue_date="2026-02-20")
    assert set(ends(found)) == rules


def test_timely_filing_counts_months_from_the_service():
    found = document("remittance_eob", claims=denied("16"), issue_date="2026-02-20")
    assert ends(found)["T6 File the claims again, with what they lacked"] == "2027-01-15T17:00"


@pytest.mark.parametrize(
    ("urgency", "received", "end"),
    [
        (None, "2026-03-02T10:00", "2026-03-03T17:00"),
        (URGENT, "2026-03-02T10:00", "2026-03-02T12:00"),
        (URGENT, "2026-03-06T16:30", "2026-03-09T09:30"),  # Friday afternoon, the clocks change
        (URGENT, "2026-03-07T02:00", "2026-03-09T10:00"),
    ],
)
def test_a_referral_is_answered_by_the_sites_own_level(urgency, received, end):
    at = dt.datetime.fromisoformat(received).replace(tzinfo=ZoneInfo(NEW_YORK))
    (told,) = ends(document("referral"), urgency, received=at).values()
    assert told == end


@pytest.mark.parametrize("site", [PROVIDER, PAYER])
def test_what_nobody_has_read_runs_by_the_strictest_clock_of_its_site(site):
    unread = CLOCKWORK.unread(received_at=MONDAY, site=site, priority=5)
    (clock,) = unread.clocks
    for type_ in load_schemas(None):
        for urgency in (None, URGENT):
            for more in ({}, {"medication_name": "Adalimumab"}):
                known = CLOCKWORK.running(
                    document(type_, **more), urgency, received_at=MONDAY, site=site, priority=5
                )
                assert all(clock.due_at <= each.due_at for each in known.clocks)


@pytest.mark.parametrize("site", [PROVIDER, PAYER])
@pytest.mark.parametrize("urgency", [None, ROUTINE, URGENT, Urgency(level="emergent")])
def test_every_document_has_a_clock(site, urgency):
    for type_ in load_schemas(None):
        running = CLOCKWORK.running(
            document(type_), urgency, received_at=MONDAY, site=site, priority=5
        )
        assert running.clocks, type_


def test_clocks_come_first_to_end_first_and_say_where_they_come_from():
    running = CLOCKWORK.running(REQUEST, None, received_at=MONDAY, site=PAYER, priority=5)
    assert [clock.rule for clock in running.clocks] == ["T5", "T2"]
    assert running.clocks[1].length == "7 calendar days"
    assert "CMS-0057-F" in running.clocks[1].source
    assert all(clock.starts_at == MONDAY for clock in running.clocks)


@pytest.mark.parametrize(
    ("found", "urgency", "channel", "priority"),
    [
        (document("referral"), Urgency(level="emergent"), 5, 1),
        (document("referral"), URGENT, 5, 2),
        (document("referral"), None, 5, 4),
        (document("remittance_eob"), None, 5, 5),
        (document("remittance_eob"), None, 1, 1),
        (document("remittance_eob"), None, 9, 9),
    ],
)
def test_priority_follows_urgency_clock_and_channel(found, urgency, channel, priority):
    running = CLOCKWORK.running(found, urgency, received_at=MONDAY, site=PROVIDER, priority=channel)
    assert running.priority == priority


OWN = """
clocks:
  - name: referral_contact
    rule: T7
    title: Call the patient
    when: {roles: [provider], types: [referral], urgency: [routine]}
    length: {business_hours: 4}
    source: our own promise
  - name: acme_appeal
    rule: T6
    title: Appeal to Acme
    when: {roles: [provider], types: [prior_auth_determination], payers: [Acme Health, P-17]}
    starts: [determination_date]
    length: {days: 30}
    extension_days: 14
    one_of: appeal
    source: provider manual 2026, page 12
without: [provider_review, provider_review_urgent]
"""


def own(folder: Path, text: str, name: str = "clocks.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def test_own_clocks_take_the_place_of_shipped_ones_and_switch_them_off(tmp_path):
    clockwork = load_clockwork(own(tmp_path, OWN))

    def running(found: Document) -> list[tuple[str, str]]:
        told = clockwork.running(found, None, received_at=MONDAY, site=PROVIDER, priority=5)
        return [(clock.title, clock.length) for clock in told.clocks]

    assert running(document("referral")) == [("Call the patient", "4 business hours")]
    assert running(document("prior_auth_request")) == []
    letter = document("prior_auth_determination", determination="denied", payer_name="ACME HEALTH")
    extended = ("Appeal to Acme", "30 calendar days, extended by 14 calendar days")
    assert running(letter) == [extended]
    known = letter.model_copy(
        update={
            "fields": letter.fields[:1],
            "masters": (
                MasterMatch(
                    directory="payers", party="payer", outcome="matched", canonical_id="P-17"
                ),
            ),
        }
    )
    assert running(known) == [extended]
    assert clockwork.version != CLOCKWORK.version


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clocks: [{name: a}]", "clocks.0.rule"),
        ("clokcs: []", "clokcs"),
        ("without: [no_such_clock]", "no_such_clock"),
        ("escalation: [{used: 0.5, state: soon}]", "used: 1"),
        ("escalation: [{used: 1, state: overdue}, {used: 0.5, state: soon}]", "order"),
        ("version: 1\nversion: 2", "written twice"),
        ("clocks: {", "clocks.yaml"),
        ("\x00", "clocks.yaml"),
        (OWN.replace("{days: 30}", "{days: 30, hours: 2}"), "one of"),
        (OWN.replace("{days: 30}", "{days: -1}"), "greater"),
        (OWN.replace("{business_hours: 4}", "{business_days: 1}"), "business days end"),
        (OWN.replace("{days: 30}", "{months: 1}"), "months end"),
        (OWN.replace("types: [referral], ", ""), "types"),
        (OWN + "lines_of_business: {medicaid: [medicaid]}\nfoo: 1", "foo"),
        (
            OWN.replace("payers: [Acme Health, P-17]", "lines_of_business: [no_such_line]"),
            "no_such_line",
        ),
    ],
)
def test_a_mistake_in_an_own_file_is_an_error_that_names_the_file(tmp_path, text, said):
    with pytest.raises(RulesError) as caught:
        load_clockwork(own(tmp_path, text))
    assert "clocks.yaml" in caught.value.message
    assert said in caught.value.message


CALENDAR = """
calendar: ours
title: Ours
hours: {monday: ["08:00-12:00", "13:00-17:00"], friday: ["08:00-24:00"]}
public_holidays: {country: US, subdivision: CA}
closed: {2026-12-31: stocktaking}
other_hours: {2026-12-24: ["08:00-12:00"]}
"""


def test_a_site_works_by_its_own_calendar(tmp_path):
    clockwork = load_clockwork(own(tmp_path, CALENDAR, "calendars/ours.yaml"))
    site = SiteSettings(calendar="ours", timezone=NEW_YORK)
    clockwork.check(site)
    assert clockwork.working_time(site).closing(dt.date(2026, 3, 6)) == dt.datetime(
        2026, 3, 7, 5, 0, tzinfo=dt.UTC
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("calendar: ours", "calendar: theirs"), "named theirs"),
        (("monday", "mnday"), "mnday"),
        (('"08:00-12:00", "13:00-17:00"', '"08:00-25:00"'), "HH:MM"),
        (('"13:00-17:00"', '"11:00-17:00"'), "overlaps"),
        (('"13:00-17:00"', '"17:00-13:00"'), "before it begins"),
        (('["08:00-12:00", "13:00-17:00"]', "08:00-12:00"), "a list"),
        (("subdivision: CA", "subdivision: QQ"), "QQ"),
        (("country: US", "country: XQ"), "XQ"),
        (("country: US", "open: [Festivus], country: US"), "Festivus"),
        (("2026-12-31", "2026-13-31"), "month must be"),
        (("2026-12-24", "2026-12-31"), "both closed and open"),
        (("title: Ours", "titel: Ours"), "titel"),
    ],
)
def test_a_mistake_in_a_calendar_is_an_error_that_names_the_file(tmp_path, change, said):
    assert change[0] in CALENDAR
    with pytest.raises(RulesError) as caught:
        load_clockwork(own(tmp_path, CALENDAR.replace(*change), "calendars/ours.yaml"))
    assert "ours.yaml" in caught.value.message
    assert said in caught.value.message


@pytest.mark.parametrize(
    "site", [SiteSettings(calendar="nowhere"), SiteSettings(line_of_business="nonsense")]
)
def test_a_site_that_names_what_is_not_there_is_an_error(site):
    with pytest.raises(RulesError):
        CLOCKWORK.check(site)


def test_a_wording_of_ones_own_takes_the_place_of_the_shipped_one(tmp_path):
    text = (SHIPPED_RULES / "urgency.yaml").read_text(encoding="utf-8")
    found = load_clockwork(own(tmp_path, text.replace("asap, rush", "asap, eilt"), "urgency.yaml"))
    assert "eilt" in found.wording.cover["urgent"] or "eilt" in found.wording.ticks["urgent"]
    with pytest.raises(RulesError, match=r"urgency\.yaml"):
        load_clockwork(own(tmp_path, "values: {a: very}", "urgency.yaml"))


def test_every_shipped_clock_names_known_types_subtypes_and_fields():
    schemas = load_schemas(None)
    kinds = {kind.name for kind in schemas[DocumentType.OTHER].subtypes}
    for rule in CLOCKWORK.rules.clocks:
        assert rule.source
        for type_ in rule.when.types:
            schema = schemas[DocumentType(type_)]
            assert set(rule.when.subtypes) <= kinds
            for name in (*rule.when.fields, *rule.days):
                assert schema.field(name) is not None, (rule.name, name)
            for name, values in rule.when.fields.items():
                field = schema.field(name)
                assert field is not None
                assert set(values) <= set(field.options), (rule.name, name)
