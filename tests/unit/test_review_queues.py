# SPDX-License-Identifier: Apache-2.0
"""Which projects of Label Studio an installation has."""

from __future__ import annotations

from pathlib import Path

from idp.review import Provisioned, screens_in_force, screens_of
from idp.reviewing import is_lead_queue, lead_queue
from idp.settings import Settings

LEADS = lead_queue("referral")


def keys(data: Path, **four_eyes: float) -> set[str]:
    settings = Settings.model_validate({"data": data, "review": {"four_eyes": four_eyes}})
    return {screen.key for screen in screens_of(settings)}


def test_leads_have_a_project_for_each_type_that_two_people_look_at(tmp_path: Path) -> None:
    assert not any(map(is_lead_queue, keys(tmp_path)))
    assert keys(tmp_path, referral=0.1) - keys(tmp_path) == {LEADS}
    # Of a kind of `other` the documents are in the project of `other`.
    assert keys(tmp_path, lab_result=1) - keys(tmp_path) == {lead_queue("other")}
    assert keys(tmp_path, referral=0) == keys(tmp_path)


def test_a_project_of_leads_stays_when_the_setting_goes(tmp_path: Path) -> None:
    folder = Settings(data=tmp_path).review_folder
    folder.mkdir(parents=True)
    known = Provisioned(url="http://127.0.0.1:1", projects={"referral": 1, LEADS: 2})
    (folder / "projects.json").write_text(known.model_dump_json())
    assert LEADS in keys(tmp_path)


def test_leads_work_on_the_same_screen_under_another_title() -> None:
    screens = {each.key: each for each in screens_in_force(None, {"referral"})}
    assert screens[LEADS].config == screens["referral"].config
    assert screens[LEADS].title == "Referral: two people differ"
    everything = screens_in_force(None, set(screens))
    assert all(3 <= len(each.title) <= 50 for each in everything)
    assert len({each.title for each in everything}) == len(everything)
