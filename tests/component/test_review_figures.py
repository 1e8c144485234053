# SPDX-License-Identifier: Apache-2.0
"""Figures of the review from the real tables: by the command, and at the gate by role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from idp.cli import app
from idp.gate import Upstream, create_gate, hashed
from tests.component.test_second_looks import NAME, NPI, Floor
from tests.review.office import GOOD_NPI, value

pytestmark = pytest.mark.component

PASSWORD = "seven wet umbrellas"
HOME = "http://127.0.0.1:8602"
FORM = {"Origin": HOME, "Sec-Fetch-Site": "same-origin"}
SECRET_VALUES = ("Zoe", GOOD_NPI)
SETTINGS = {"figures_documents": 10}


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    """Twelve documents that two people looked at; on one in four they differed."""
    floor = Floor(tmp_path_factory.mktemp("figures") / "data", **SETTINGS)
    secret = hashed(PASSWORD, name="nobody", fewest=12)
    for person in floor.store.people():
        floor.store.set_password(person.name, secret, actor="test")
    ids = floor.waiting(12)
    floor.send()
    for number, document_id in enumerate(ids):
        second = "bob" if number % 2 else "cat"
        floor.says("ann", document_id, value(NAME, "Zoe Right"), value(NPI, GOOD_NPI))
        differs = number % 4 == 0
        said = "Zoe Wrong" if differs else "Zoe Right"
        floor.says(second, document_id, value(NAME, said), value(NPI, GOOD_NPI))
        if differs:
            floor.says("lea", document_id, value(NAME, "Zoe Right"))
    yield floor
    floor.store.close()


def asked(floor: Floor, *words: str) -> dict[str, Any]:
    result = CliRunner().invoke(
        app,
        ["review", "figures", "--since", "2000-01-01", "--json", *words],
        env={
            "IDP_DATA": str(floor.settings.data),
            "IDP_REVIEW__FIGURES_DOCUMENTS": "10",
            "COLUMNS": "200",
        },
    )
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    assert told["schema"] == "idp.review_figures/1"
    assert not any(each in result.stdout for each in SECRET_VALUES)
    return told


def test_the_command_tells_of_everybody(floor: Floor) -> None:
    told = asked(floor)
    (referral, overall) = told["figures"]
    assert (referral["name"], overall["name"]) == ("referral", "all")
    assert (overall["documents"], overall["people"], overall["twice"]) == (12, 4, 12)
    assert overall["seconds"]["median"] == 20.0
    # Of each document two fields: three names of twelve differ.
    assert overall["agreed"]["share"] == pytest.approx(21 / 24)
    assert told["waiting"] == {"first": 0, "second": 0, "lead": 0}


def test_the_command_tells_of_fields(floor: Floor) -> None:
    found = {each["name"]: each for each in asked(floor, "--fields")["figures"]}
    assert found[NAME]["agreed"]["share"] == pytest.approx(9 / 12)
    assert found[NPI]["agreed"]["share"] == 1.0
    assert found[NAME]["corrected"]["share"] > 0.9
    assert found[NPI]["corrected"]["share"] == 0.0


def test_one_person_is_shown_from_enough_documents_on_and_it_is_on_the_record(
    floor: Floor,
) -> None:
    (ann,) = asked(floor, "--person", "ann")["figures"]
    assert (ann["documents"], ann["withheld"]) == (12, "")
    (bob,) = asked(floor, "--person", "Bob")["figures"]
    assert bob["documents"] == 6
    assert bob["seconds"] is None
    assert "fewer than 10" in bob["withheld"]
    viewed = [e.detail for e in floor.store.events(limit=500) if e.action == "figures_viewed"]
    assert {each["person"] for each in viewed} >= {"ann", "bob"}


def test_another_type_has_nothing_to_tell(floor: Floor) -> None:
    (nothing,) = asked(floor, "--type", "remittance_eob")["figures"]
    assert nothing["documents"] == 0


@pytest.fixture(scope="module")
def gate(floor: Floor) -> Any:
    return create_gate(
        floor.settings, floor.store, lambda: Upstream("http://127.0.0.1:9", "0" * 40), "s", print
    )


def come_in(gate: Any, name: str) -> TestClient:
    client = TestClient(gate, base_url=HOME, follow_redirects=False)
    given = {"name": name, "password": PASSWORD}
    assert client.post("/gate/sign-in", data=given, headers=FORM).status_code == 303
    return client


def test_a_manager_sees_everybody_together_and_asks_for_one_by_name(
    floor: Floor, gate: Any
) -> None:
    max_ = come_in(gate, "max")
    shown = max_.get("/gate/figures?days=366")
    assert shown.status_code == 200
    assert "Reviews of everybody" in shown.text
    assert "referral" in shown.text
    # No list of people, nothing that was read.
    assert not any(each in shown.text for each in ("ann", "bob", "cat", *SECRET_VALUES))
    one = max_.get("/gate/figures?days=366&person=ann")
    assert "Reviews of ann" in one.text
    assert "20 s" in one.text
    viewed = [e for e in floor.store.events(limit=500) if e.action == "figures_viewed"]
    assert "user:max" in {each.actor for each in viewed}
    assert max_.get("/gate/figures?person=nobody").status_code == 404


@pytest.mark.parametrize("name", ["ann", "lea"])
def test_others_see_their_own_and_nobody_elses(gate: Any, name: str) -> None:
    client = come_in(gate, name)
    own = client.get("/gate/figures?days=366")
    assert own.status_code == 200
    assert f"Reviews of {name}" in own.text
    assert "One person" not in own.text
    assert client.get("/gate/figures?person=bob").status_code == 403
    assert client.get(f"/gate/figures?person={name}").status_code == 200


def test_nobody_sees_figures_without_signing_in(gate: Any) -> None:
    client = TestClient(gate, base_url=HOME, follow_redirects=False)
    assert client.get("/gate/figures").status_code == 401
