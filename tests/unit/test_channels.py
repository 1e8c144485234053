# SPDX-License-Identifier: Apache-2.0
"""Drop folders in the settings, and what their policies make of a document."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from idp.arriving import marked
from idp.channels import channel_rows
from idp.cli.doctor_folders import examine_folder, file_system
from idp.document import Decision, Document, DocumentType, Severity
from idp.errors import AccessError, SettingsError
from idp.settings import ChannelSettings, load_settings
from idp.store import ArrivalRow


def settings_of(channels, queues=None, **rest):
    return load_settings(
        ingest={"channels": channels}, engine={"queues": queues or {}}, data=Path("data"), **rest
    )


def arrival(**changes):
    facts = {
        "id": "a",
        "channel": "fax",
        "name": "a.tif",
        "sha256": "0" * 64,
        "size_bytes": 3,
        "received_at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        "priority": 5,
        "queue": "process",
        "site": None,
        "sidecar_name": None,
        "sidecar_sha256": None,
        "duplicate_of": None,
    }
    return ArrivalRow(**(facts | changes))


def document(decision=Decision.AUTO):
    return Document(
        document_id="d",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=DocumentType.OTHER,
        type_confidence=1.0,
        pages=(1,),
        decision=decision,
    )


def test_a_queue_that_nobody_works_is_a_fault_of_the_settings_that_names_it():
    with pytest.raises(SettingsError, match=r"ingest\.channels\.fax\.queue: slow is not in engine"):
        settings_of({"fax": {"queue": "slow"}})
    assert settings_of({"fax": {"queue": "slow"}}, {"slow": 1}).engine.queues == {"slow": 1}


@pytest.mark.parametrize("name", ["deliver", "process"])
def test_our_own_queues_are_not_for_channels(name):
    with pytest.raises(SettingsError, match="the name is taken"):
        settings_of({"fax": {}}, {name: 1})


@pytest.mark.parametrize("queues", [{"slow": 0}, {"slow": 65}, {"Slow!": 1}])
def test_a_queue_has_a_plain_name_and_works_something(queues):
    with pytest.raises(SettingsError):
        settings_of({"fax": {}}, queues)


def test_two_channels_can_not_empty_the_same_folder():
    with pytest.raises(SettingsError, match="lies in or around that of fax"):
        settings_of({"fax": {"folder": "/srv/in"}, "scan": {"folder": "/srv/in"}})
    with pytest.raises(SettingsError, match="lies in or around that of fax"):
        settings_of({"fax": {}, "scan": {"folder": "data/inbox/fax/scan"}})
    settings_of({"fax": {"folder": "/srv/in"}, "scan": {"folder": "/srv/in2"}})


@pytest.mark.parametrize("name", ["../out", "a/b", ".hidden", "", "x" * 65])
def test_a_channels_name_can_only_be_that_of_a_folder_below_the_inbox(name):
    with pytest.raises(SettingsError):
        settings_of({name: {}})


def test_channels_are_listed_with_what_an_administrator_looks_for():
    rows = channel_rows(
        settings_of(
            {
                "fax": {},
                "scan": {"folder": "/mnt/scan", "keep_files": True, "watch": "poll", "priority": 2},
            }
        ),
        {"scan": 12},
    )
    assert [(row.name, row.manner) for row in rows] == [
        ("scan", "read-only: 12 files remembered"),
        ("fax", "files are moved"),
    ]
    assert rows[1].folder == Path("data/inbox/fax").absolute()


@pytest.mark.parametrize(
    ("policy", "decision", "severity"),
    [
        ("warn", Decision.AUTO, Severity.WARN),
        ("hold", Decision.REVIEW, Severity.BLOCK),
        ("skip", Decision.AUTO, Severity.WARN),
    ],
)
def test_the_same_bytes_again_are_marked_and_held_where_the_folder_says_so(
    policy, decision, severity
):
    found = marked(
        document(), arrival(duplicate_of="first"), ChannelSettings(exact_duplicates=policy)
    )
    assert [(each.rule, each.severity) for each in found.findings] == [("D1", severity)]
    assert found.decision is decision
    assert bool(found.reasons) == (policy == "hold")


@pytest.mark.parametrize("decision", [Decision.REVIEW, Decision.QUARANTINE])
def test_a_held_duplicate_that_a_person_sees_anyway_keeps_its_decision(decision):
    policy = ChannelSettings(exact_duplicates="hold")
    assert marked(document(decision), arrival(duplicate_of="first"), policy).decision is decision


def test_a_first_arrival_is_left_as_it_is():
    found = document()
    assert marked(found, arrival(), ChannelSettings(exact_duplicates="hold")) is found


def test_a_document_without_its_required_sidecar_goes_to_a_person():
    policy = ChannelSettings(sidecar="required")
    found = marked(document(), arrival(), policy)
    assert found.decision is Decision.REVIEW
    assert [each.rule for each in found.findings] == ["P7"]
    assert marked(document(), arrival(sidecar_name="a.xml"), policy).findings == ()


def test_doctor_claims_something_in_each_folder_and_leaves_nothing(tmp_path):
    settings = settings_of({"fax": {"site": "north"}}, inbox=tmp_path)
    told, _ = examine_folder(settings, "fax")
    assert told.endswith("made at the first `idp run`")
    (tmp_path / "fax" / ".claimed").mkdir(parents=True)
    told, advice = examine_folder(settings, "fax")
    assert "queue process, priority 5, watch events, site north" in told
    assert advice == ()
    assert list((tmp_path / "fax").rglob("*")) == [tmp_path / "fax" / ".claimed"]


def test_doctor_finds_a_share_that_is_not_mounted(tmp_path):
    settings = settings_of({"scan": {"folder": tmp_path / "gone"}})
    with pytest.raises(AccessError, match="is not there") as caught:
        examine_folder(settings, "scan")
    assert "ingest.channels.scan.folder" in caught.value.operator_hint


def test_doctor_finds_a_folder_in_which_nothing_can_be_moved(tmp_path, monkeypatch):
    settings = settings_of({"scan": {"folder": tmp_path}})

    def refused(*_):
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(AccessError, match="can't be moved") as caught:
        examine_folder(settings, "scan")
    assert "keep_files" in caught.value.operator_hint
    assert list(tmp_path.iterdir()) == []
    keeping = settings_of({"scan": {"folder": tmp_path, "keep_files": True}})
    assert "read-only" in examine_folder(keeping, "scan")[0]


def test_the_file_system_of_a_folder_is_that_of_the_nearest_mount(tmp_path):
    share = tmp_path / "my share"
    escaped = str(share).replace(" ", "\\040")
    mounts = (
        "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
        f"40 22 0:40 / {escaped} rw - cifs //server/fax rw\n"
    )
    assert file_system(share / "fax", mounts) == "cifs"
    assert file_system(tmp_path, mounts) == "ext4"
