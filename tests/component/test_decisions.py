# SPDX-License-Identifier: Apache-2.0
"""Decisions on the record, the figures of the quality sample, and replay, on both databases."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from idp.cli.app import app
from idp.cli.decisions import settings_from, since_when
from idp.document import Decision, Field, Finding, Severity
from idp.errors import NotFoundError, SettingsError, WrongStateError
from idp.judge import sample_key
from idp.quality import Remembered, verdict
from idp.reasons import with_finding
from idp.replay import changed_parts
from idp.settings import Settings
from idp.signals import Answer, Correction
from idp.store import Results, State
from idp.store.tables import Event
from tests.bench.replay import (
    Stored,
    another_severity,
    documents_of,
    filled,
    replayed,
)
from tests.component.test_store import (  # noqa: F401 - fixtures
    START,
    arrive,
    begin,
    clock,
    only_row,
    queue,
    results,
    store,
)
from tests.component.test_store_doubles import printed

pytestmark = pytest.mark.component

SECRET = "Ada Example was born on the moon"


def finish(store, queue, found, content=b"one", **options):  # noqa: F811
    arrival = arrive(store, queue, content)
    assert store.finish_processing(begin(store, queue), found, queue, **options)
    return arrival


def with_(found: Results, **changes) -> Results:
    documents = tuple(each.model_copy(update=changes) for each in found.documents)
    return Results(documents, found.pages, judged_by=found.judged_by)


def test_a_decision_is_on_the_record_with_what_made_it(store, queue, tmp_path):  # noqa: F811
    parts = json.dumps({"schema": "idp.rules/1", "parts": {"policy": 1}}).encode()
    version = store.content.put_bytes(parts).sha256
    found = results(tmp_path, Decision.AUTO)
    (document,) = found.documents
    document = with_finding(
        document.model_copy(
            update={
                "release": "confident",
                "rules_version": version,
                "model_versions": {"crf": "1"},
            }
        ),
        Finding(rule="N1", severity=Severity.BLOCK, message=SECRET),
    )
    finish(store, queue, Results((document,), found.pages, judged_by=(parts,)))
    row = only_row(store)
    (decision,) = store.decisions(row.id)
    assert (decision.decision, decision.release, decision.sampled) == (
        Decision.REVIEW,
        "confident",
        False,
    )
    assert decision.rules == ("N1/block", "rule:N1")
    assert decision.models == {"crf": "1"}
    assert decision.actor == "pipeline"
    assert store.rules_version(decision.rules_version) == parts
    kept = json.loads(store.content.read(decision.result_sha256))
    assert kept["reasons"] == [SECRET]


def test_events_and_decisions_hold_codes_and_no_words(store, queue, tmp_path):  # noqa: F811
    found = results(tmp_path, Decision.AUTO)
    (document,) = found.documents
    document = with_finding(document, Finding(rule="N1", severity=Severity.BLOCK, message=SECRET))
    finish(store, queue, Results((document,), found.pages))
    with store._engine.connect() as connection:
        for table in ("events", "decisions"):
            rows = connection.execute(sa.text(f"SELECT * FROM {table}")).all()
            assert rows
            assert SECRET not in repr(rows)
        details = connection.execute(
            sa.select(Event.detail).where(Event.action == "decided")
        ).scalars()
        assert [detail["reasons"] for detail in details] == ["rule:N1"]
    assert store.verify_events() is None


def test_a_second_processing_is_a_second_decision(store, queue, tmp_path):  # noqa: F811
    finish(store, queue, results(tmp_path, Decision.REVIEW))
    row = only_row(store)
    store.requeue(row.id, actor="person")
    store.start_due(queue)
    assert store.finish_processing(begin(store, queue), results(tmp_path, Decision.AUTO), queue)
    assert [d.decision for d in store.decisions(row.id)] == [Decision.REVIEW, Decision.AUTO]


def test_a_late_result_leaves_no_decision(store, queue, tmp_path):  # noqa: F811
    arrive(store, queue)
    late = begin(store, queue)
    store.reconcile(lambda jobs: ())
    assert not store.finish_processing(late, results(tmp_path, Decision.AUTO), queue)
    assert store.decisions(only_row(store).id) == ()


def test_a_new_judgement_in_review_is_on_the_record(store, queue, tmp_path):  # noqa: F811
    finish(store, queue, results(tmp_path, Decision.REVIEW))
    row = only_row(store)
    document = store.document(row.id)
    assert document is not None
    judged = with_finding(document, Finding(rule="D2", severity=Severity.BLOCK, message=SECRET))
    decision = store.record_decision(row.id, judged, actor="reviewer:kim")
    assert (decision.actor, decision.rules) == ("reviewer:kim", ("D2/block", "rule:D2"))
    assert store.document(row.id) == judged
    assert store.row(row.id).state is State.REVIEW
    with pytest.raises(NotFoundError):
        store.record_decision("nobody", judged, actor="x")


def test_what_has_left_is_not_judged_again(store, queue, tmp_path):  # noqa: F811
    finish(store, queue, results(tmp_path, Decision.AUTO))
    row = only_row(store)
    document = store.document(row.id)
    assert document is not None
    with pytest.raises(WrongStateError):
        store.record_decision(row.id, document, actor="x")


def test_a_page_that_has_left_is_named_where_it_would_leave_again(
    store,  # noqa: F811
    queue,  # noqa: F811
    tmp_path,
):
    finish(store, queue, results(tmp_path, Decision.AUTO, Decision.REVIEW))
    first, second = sorted(store.recent(), key=lambda row: row.ordinal)
    assert (first.state, second.state) == (State.AUTO, State.REVIEW)
    store.requeue(second.id, actor="person")
    store.start_due(queue)
    again = results(tmp_path, Decision.AUTO, Decision.AUTO, pages_of=lambda number: (1, number))
    assert store.finish_processing(begin(store, queue), again, queue)
    document = store.document(second.id)
    assert document is not None
    assert document.reason_codes == ("rule:P10",)
    assert store.row(second.id).state is State.REVIEW
    assert store.decisions(second.id)[-1].rules == ("P10/block", "rule:P10")


FACTS = {
    "patient_dob": "1961-03-14",
    "member_id": "XK44718203",
    "patient_name": "Ada Example",
    "payer_name": "Example Health Plan",
    "submission_date": "2026-10-05",
    "procedure_codes": "97110",
}
WORDS = [
    *("Prior", "Authorization", "Request", "Patient", "Member"),
    *("Requesting", "Provider", "Physical", "Therapy"),
]


def request_(tmp_path, words, **changes) -> Results:
    found = printed(results(tmp_path, Decision.AUTO), words)
    fields = tuple(
        Field(
            name=name,
            value=value,
            raw=value,
            confidence=0.95,
            page=1,
            box=(0.1, 0.1, 0.2, 0.2),
            source="test",
        )
        for name, value in (FACTS | changes).items()
    )
    return with_(found, fields=fields)


def test_a_request_typed_anew_is_known_by_patient_date_and_code(store, queue, tmp_path):  # noqa: F811
    printed_values = ["03/14/1961", "XK44718203", "97110", "10/05/2026"]
    finish(store, queue, request_(tmp_path, [*WORDS, *printed_values]), b"one")
    finish(store, queue, request_(tmp_path, [*WORDS, *printed_values, "resent", "please"]), b"two")
    first, second = sorted(store.recent(), key=lambda row: row.id)
    assert (first.state, second.state) == (State.AUTO, State.REVIEW)
    assert second.like_document == first.id
    document = store.document(second.id)
    assert document is not None
    assert document.reason_codes == ("rule:D1",)
    assert "the same patient, dates and codes" in document.reasons[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"member_id": "BR90215577", "patient_name": "Bo Sample", "patient_dob": "1984-11-30"},
        {"submission_date": "2026-12-01"},
        {"procedure_codes": "99214"},
        {"payer_name": "Sunrise Mutual"},
    ],
)
def test_another_patient_day_code_or_payer_is_another_request(
    store,  # noqa: F811
    queue,  # noqa: F811
    tmp_path,
    changes,
):
    finish(store, queue, request_(tmp_path, WORDS), b"one")
    finish(store, queue, request_(tmp_path, WORDS, **changes), b"two")
    assert all(row.state is State.AUTO for row in store.recent())


def test_the_same_request_with_other_words_is_another_paper(store, queue, tmp_path):  # noqa: F811
    finish(store, queue, request_(tmp_path, WORDS), b"one")
    others = [word[::-1] for word in WORDS]
    finish(store, queue, request_(tmp_path, others), b"two")
    assert all(row.state is State.AUTO for row in store.recent())


def correct(store, document_id, *wrong, right=(), complete=True):  # noqa: F811
    corrections = [
        Correction(
            name=name,
            answer=Answer.VALUE,
            before="read",
            after="meant" if name in wrong else "read",
        )
        for name in (*wrong, *right)
    ]
    store.record_corrections(
        document_id,
        corrections,
        key=f"{document_id}-{len(store.corrections(document_id))}",
        reviewer="kim",
        made_at=START,
        complete=complete,
    )


def test_the_sample_tells_how_often_what_leaves_is_wrong(store, queue, tmp_path):  # noqa: F811
    for number in range(6):
        found = results(tmp_path, Decision.REVIEW if number < 3 else Decision.AUTO)
        finish(store, queue, with_(found, sampled=number < 3), f"file {number}".encode())
    finish(store, queue, results(tmp_path, Decision.REVIEW), b"held for another reason")
    one, two, three = sorted(
        row.id
        for row in store.recent()
        if store.document(row.id).sampled  # type: ignore[union-attr]
    )
    correct(store, one, "member_id", right=("patient_name", "patient_dob"))
    correct(store, two, right=("member_id", "patient_name", "patient_dob"))
    correct(store, three, "member_id", complete=False)
    referral, whole = store.quality()
    assert (referral.type, whole.type) == ("referral", "all")
    assert (whole.left, whole.sampled, whole.checked) == (3, 3, 2)
    assert (whole.documents_wrong, whole.values, whole.values_wrong) == (1, 6, 1)
    assert whole.documents_interval == pytest.approx((0.5, 0.0125791, 0.9874209), abs=1e-6)
    assert whole.values_interval is not None
    assert whole.few
    assert whole.left_wrong is not None
    assert whole.left_wrong.share == pytest.approx(1.5)
    assert store.quality(since=START + dt.timedelta(days=400))[-1].left == 0


def test_the_latest_word_on_a_field_counts(store, queue, tmp_path):  # noqa: F811
    finish(store, queue, with_(results(tmp_path, Decision.REVIEW), sampled=True))
    row = only_row(store)
    correct(store, row.id, "member_id")
    correct(store, row.id, right=("member_id",))
    whole = store.quality()[-1]
    assert (whole.values, whole.values_wrong, whole.documents_wrong) == (1, 0, 0)


def test_without_anything_checked_nothing_is_claimed(store):  # noqa: F811
    (whole,) = store.quality()
    assert (whole.left, whole.checked, whole.values_interval) == (0, 0, None)
    assert "not known" in verdict(whole, 0.99)


def test_the_figures_are_asked_for_once_a_minute(store):  # noqa: F811
    asked = []
    remembered = Remembered(lambda: asked.append(1) or store.quality(), 0.99)
    assert remembered.lines() == ()
    assert "not known" in remembered.verdict()
    assert len(asked) == 1


POLICY = {
    "accuracy_target": 0,
    "field_threshold": 0.6,
    "unseen_threshold": 0.6,
    "quality_sample": 0.2,
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory):
    settings = Settings(data=tmp_path_factory.mktemp("replay") / "data", decision=POLICY)
    with filled(settings, 24) as made:
        yield made


def test_deciding_again_by_the_same_versions_gives_the_same(stored: Stored) -> None:
    report = replayed(stored.store, stored.settings)
    assert report.documents == 24
    assert report.differences == []
    assert report.same == report.same_version == 24
    assert report.failed == {}


def test_a_stored_document_is_the_same_in_every_respect(stored: Stored) -> None:
    from idp.replay import Replay  # noqa: PLC0415

    replay = Replay(stored.store, stored.settings)
    for each in stored.store.decided_documents(stored.store.decided_ids()):
        again = replay.decided_again(each)
        assert set(again.findings) == set(each.document.findings)
        assert set(again.reasons) == set(each.document.reasons)
        assert again.fields == each.document.fields
        assert again.clocks == each.document.clocks
        assert again.sampled == each.document.sampled


def test_one_changed_rule_lists_exactly_its_documents(stored: Stored) -> None:
    before = documents_of(stored.store)
    expected = {
        d.document_id
        for d in before
        if any(f.rule == "D2" and f.severity is Severity.BLOCK and _of_one(f) for f in d.findings)
    }
    assert expected
    with another_severity("D2"), another_severity("past"):
        report = replayed(stored.store, stored.settings)
    assert {each.document_id for each in report.differences} == expected
    assert "D2/warn" in report.by_code
    assert all(code.split("/")[0].split(":")[-1] == "D2" for code in report.by_code)
    assert replayed(stored.store, stored.settings).differences == []


def _of_one(finding: Finding) -> bool:
    """Whether the rule spoke of a single value, not of two dates."""
    said = ("far from today", "after the receipt", "not a date", "in the future", "years ago")
    of_claim = "the service date" in finding.message  # beside the day that it came
    return not of_claim and any(each in finding.message for each in said)


def test_one_changed_threshold_lists_exactly_its_documents(stored: Stored) -> None:
    policy = stored.settings.decision.model_copy(
        update={"field_threshold": 0.8, "unseen_threshold": 0.8}
    )
    report = replayed(stored.store, stored.settings.model_copy(update={"decision": policy}))
    expected = {
        d.document_id
        for d in documents_of(stored.store)
        if any(f.value and 0.6 <= f.confidence < 0.8 for f in d.fields)
        or any(0.6 <= claim.confidence < 0.8 for claim in d.claims)
    }
    assert {each.document_id for each in report.differences} == expected
    assert set(report.changed_parts) == {
        "decision.field_threshold: 0.6 -> 0.8",
        "decision.unseen_threshold: 0.6 -> 0.8",
    }


def test_a_channel_that_only_warns_of_doubles_lets_them_go_by_that(stored: Stored) -> None:
    ingest = stored.settings.ingest
    fax = ingest.channels["fax"].model_copy(update={"exact_duplicates": "hold"})
    held = ingest.model_copy(update={"channels": {**ingest.channels, "fax": fax}})
    report = replayed(stored.store, stored.settings.model_copy(update={"ingest": held}))
    assert {each.document_id for each in report.differences} == {
        each.document.document_id
        for each in stored.store.decided_documents(stored.store.decided_ids())
        if each.arrival.duplicate_of is not None
    }


def test_replay_writes_nothing(stored: Stored) -> None:
    with stored.store._engine.connect() as connection:
        count = sa.text("SELECT (SELECT COUNT(*) FROM events), (SELECT COUNT(*) FROM decisions)")
        before = connection.execute(count).one()
        files = sum(1 for _ in stored.store.content.folder.rglob("*"))
        replayed(stored.store, stored.settings)
        assert connection.execute(count).one() == before
        assert sum(1 for _ in stored.store.content.folder.rglob("*")) == files


def test_the_verbs_tell_the_same(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_DATA", str(stored.settings.data))
    for name, value in POLICY.items():
        monkeypatch.setenv(f"IDP_DECISION__{name.upper()}", str(value))
    run = CliRunner()
    told = run.invoke(app, ["decisions", "replay", "--json", "--limit", "10"])
    assert told.exit_code == 0, told.output
    report = json.loads(told.stdout)
    assert (report["documents"], report["same"], report["differences"]) == (10, 10, [])
    changed = run.invoke(
        app, ["decisions", "replay", "--json", "--set", "decision.automatic=false"]
    )
    moved = json.loads(changed.stdout)
    assert moved["by_code"]["automatic_off"] == {"gone": 0, "new": 24}
    assert moved["moves"] == {
        "auto -> review": sum(d.decision is Decision.AUTO for d in documents_of(stored.store))
    }
    shown = run.invoke(
        app, ["decisions", "show", documents_of(stored.store)[0].document_id, "--json"]
    )
    (decision,) = json.loads(shown.stdout)["decisions"]
    assert decision["rules_version"] == documents_of(stored.store)[0].rules_version
    table = run.invoke(app, ["quality"])
    assert table.exit_code == 0, table.output
    assert "too few checked" in table.output or "checked yet" in table.output


def test_the_secret_of_the_sample_is_drawn_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    assert sample_key(tmp_path / "data", make=False) is None
    key = sample_key(tmp_path / "data", make=True)
    assert key == sample_key(tmp_path / "data", make=True)
    assert (tmp_path / "data" / "sample.key").stat().st_mode & 0o077 == 0
    assert list((tmp_path / "data").iterdir()) == [tmp_path / "data" / "sample.key"]


def test_settings_for_a_replay_come_from_a_file_and_single_ones(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("[decision]\nautomatic = false\nfield_threshold = 0.7\n")
    found = settings_from(
        file, ["decision.field_threshold=.8", "decision.types.junk=always", "rules=/etc/idp"]
    )
    assert found == {
        "decision": {"automatic": False, "field_threshold": 0.8, "types": {"junk": "always"}},
        "rules": "/etc/idp",
    }
    with pytest.raises(SettingsError):
        settings_from(None, ["decision.field_threshold"])
    with pytest.raises(SettingsError):
        settings_from(tmp_path / "none.toml", [])


def test_since_takes_dates_and_spans() -> None:
    assert since_when("30d", START) == START - dt.timedelta(days=30)
    assert since_when("12h", START) == START - dt.timedelta(hours=12)
    assert since_when("2026-01-02T03:04:05+00:00", START) == dt.datetime(
        2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC
    )
    assert since_when(None, START) is None
    with pytest.raises(NotFoundError):
        since_when("yesterday", START)


def test_what_changed_between_two_versions_is_named() -> None:
    def version(**parts: object) -> bytes:
        return json.dumps({"parts": parts}).encode()

    assert changed_parts(version(a=1, b=2), version(a=1, b=3, c=None)) == (
        "b: 2 -> 3",
        "c: none -> null",
    )
    assert changed_parts(None, version()) == ("unknown: the version was not kept",)
