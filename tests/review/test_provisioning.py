# SPDX-License-Identifier: Apache-2.0
"""The real Label Studio is brought to the plan, left alone once there, mended where it drifted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from idp.errors import ReviewError
from idp.review import screens_in_force
from idp.review.access import hook_file
from idp.review.provisioning import (
    Outcome,
    Screen,
    provision,
    provisioned,
)
from idp.reviewing import SPLITTING
from tests.review.conftest import Running

OTHER_CONFIG = """<View>
  <Image name="page" valueList="$pages"/>
  <TextArea name="v_member_id" toName="page" editable="true"/>
</View>"""
REAL = screens_in_force(None)
REFERRAL = next(screen for screen in REAL if screen.key == "referral")
SCREENS = (
    *(screen for screen in REAL if screen.key != SPLITTING),
    Screen(SPLITTING, "Doubtful cuts", OTHER_CONFIG, "<p>Where does the next one begin?</p>"),
)
KEYS = {screen.key for screen in SCREENS}


@pytest.fixture(scope="module")
def first(label_studio: Running) -> Outcome:
    hook_file(label_studio.folder).write_text("http://127.0.0.1:8602\n", encoding="ascii")
    return again(label_studio)


def again(running: Running, screens: tuple[Screen, ...] = SCREENS) -> Outcome:
    return provision(running.settings, running.folder, screens)


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(rows) == 1, rows
    return rows[0]


def test_all_of_the_plan_is_there(label_studio: Running, first: Outcome) -> None:
    assert first.problems == ()
    assert {key: changes[0] for key, changes in first.changes.items()} == dict.fromkeys(
        KEYS, "made"
    )
    assert provisioned(label_studio.folder) == first.provisioned
    identity = first.provisioned.project("referral")
    with label_studio.client() as client:
        project = client.get(f"/api/projects/{identity}/").json()
        views = client.get("/api/dm/views/", params={"project": identity}).json()
        storage = only(client.get("/api/storages/localfiles", params={"project": identity}).json())
        webhook = only(client.get("/api/webhooks/", params={"project": identity}).json())
    assert project["title"] == "Referral: review"
    assert project["label_config"] == REFERRAL.config.strip()
    assert project["sampling"] == "Uncertainty sampling"
    assert project["model_version"] == "idp"
    assert [view["data"]["ordering"] for view in views] == [
        ["tasks:data.due_at"],
        ["tasks:predictions_score"],
        ["-tasks:updated_at"],
    ]
    assert storage["path"] == str(label_studio.folder / "pages")
    assert webhook["url"] == "http://127.0.0.1:8602/hooks/label-studio"
    assert webhook["headers"]["Authorization"].startswith("Bearer ")
    assert webhook["send_payload"] is False, "a hint carries nothing of a document"


def test_a_second_time_changes_nothing(label_studio: Running, first: Outcome) -> None:
    with label_studio.client() as client:
        before = client.get("/api/projects/").json()
    second = again(label_studio)
    assert second.changes == dict.fromkeys(KEYS, ())
    assert second.problems == ()
    assert second.provisioned == first.provisioned
    with label_studio.client() as client:
        after = client.get("/api/projects/").json()
    assert after == before


def test_what_drifted_is_mended_and_nothing_else(label_studio: Running, first: Outcome) -> None:
    identity = first.provisioned.project("referral")
    with label_studio.client() as client:
        changed = client.patch(
            f"/api/projects/{identity}/", json={"label_config": OTHER_CONFIG, "title": "Mine now"}
        )
        assert changed.status_code == httpx.codes.OK
        view = client.get("/api/dm/views/", params={"project": identity}).json()[0]
        client.delete(f"/api/dm/views/{view['id']}").raise_for_status()
        webhook = only(client.get("/api/webhooks/", params={"project": identity}).json())
        client.patch(f"/api/webhooks/{webhook['id']}/", json={"is_active": False})
        # Another's view and webhook are theirs.
        client.post(
            "/api/dm/views/", json={"project": identity, "data": {"title": "My own"}}
        ).raise_for_status()
        client.post(
            "/api/webhooks/", json={"project": identity, "url": "http://127.0.0.1:9/theirs"}
        ).raise_for_status()
    mended = again(label_studio)
    assert mended.problems == ()
    assert sorted(mended.changes["referral"]) == sorted(
        ["title", "label_config", "view Nearest deadline first made", "webhook mended"]
    )
    assert mended.changes[SPLITTING] == ()
    assert again(label_studio).changes["referral"] == ()
    with label_studio.client() as client:
        mended_config = client.get(f"/api/projects/{identity}/").json()["label_config"]
        titles = {
            view["data"]["title"]
            for view in client.get("/api/dm/views/", params={"project": identity}).json()
        }
        urls = {
            hook["url"]
            for hook in client.get("/api/webhooks/", params={"project": identity}).json()
        }
    assert mended_config == REFERRAL.config.strip()
    assert "My own" in titles
    assert "http://127.0.0.1:9/theirs" in urls


def test_projects_are_found_again_without_our_file(label_studio: Running, first: Outcome) -> None:
    (label_studio.folder / "projects.json").unlink()
    assert provisioned(label_studio.folder) is None
    assert again(label_studio).provisioned.projects == first.provisioned.projects


def test_a_screen_that_is_no_screen_is_told_and_the_rest_is_done(label_studio: Running) -> None:
    broken = Screen("broken", "Broken", "<View><TextArea name='a' toName='nothing'/></View>")
    outcome = again(label_studio, (broken, *SCREENS))
    assert [problem.split(":")[0] for problem in outcome.problems] == ["project broken"]
    assert set(outcome.provisioned.projects) == KEYS


def test_a_wrong_token_is_an_error_that_says_so(label_studio: Running) -> None:
    token = label_studio.folder / "wrong-token"
    token.write_text("0" * 40 + "\n", encoding="ascii")
    settings = label_studio.settings.model_copy(update={"token_file": token})
    with pytest.raises(ReviewError, match="refused: 401"):
        provision(settings, label_studio.folder, SCREENS)
