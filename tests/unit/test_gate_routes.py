# SPDX-License-Identifier: Apache-2.0
"""Which requests the gate lets through to Label Studio, by role."""

from __future__ import annotations

import pytest

from idp.gate.proxy import PAGE, Shown
from idp.gate.routes import Rule, rule_for, shipped_rules
from idp.store import Role

RULES = shipped_rules()

NOBODY = [
    ("POST", "/api/projects/"),
    ("POST", "/api/projects"),
    ("PATCH", "/api/projects/1/"),
    ("DELETE", "/api/projects/1/"),
    ("DELETE", "/api/projects/1/tasks/"),
    ("GET", "/api/projects/"),
    ("GET", "/api/projects/1/export?exportType=JSON"),
    ("POST", "/api/projects/1/exports/"),
    ("GET", "/api/projects/1/exports/1/download"),
    ("POST", "/api/projects/1/import"),
    ("POST", "/api/projects/1/reimport"),
    ("GET", "/api/projects/1/file-uploads"),
    ("POST", "/api/projects/1/validate/"),
    ("POST", "/api/projects/1/summary/reset/"),
    ("GET", "/data/upload/1/file.pdf"),
    ("GET", "/api/webhooks/"),
    ("POST", "/api/webhooks/"),
    ("DELETE", "/api/webhooks/1/"),
    ("POST", "/api/users/"),
    ("GET", "/api/users/1/"),
    ("PATCH", "/api/users/1/"),
    ("DELETE", "/api/users/1/"),
    ("GET", "/api/organizations/"),
    ("GET", "/api/organizations/1/memberships"),
    ("GET", "/api/invite"),
    ("POST", "/api/invite/reset-token"),
    ("GET", "/api/storages/"),
    ("POST", "/api/storages/localfiles/"),
    ("POST", "/api/storages/export/localfiles/"),
    ("POST", "/api/storages/localfiles/1/sync"),
    ("GET", "/api/current-user/token"),
    ("POST", "/api/current-user/reset-token/"),
    ("POST", "/api/token/"),
    ("POST", "/api/token/rotate/"),
    ("POST", "/api/jwt/settings"),
    ("POST", "/api/ml/"),
    ("DELETE", "/api/ml/1"),
    ("POST", "/api/dm/actions?id=delete_tasks"),
    ("POST", "/api/dm/actions?id=delete_tasks_annotations"),
    ("POST", "/api/dm/actions?id=predictions_to_annotations"),
    ("POST", "/api/dm/actions?id=next_task&id=delete_tasks"),
    ("POST", "/api/dm/actions?id=delete_tasks&id=next_task"),
    ("POST", "/api/dm/actions"),
    ("DELETE", "/api/dm/views/reset/"),
    ("DELETE", "/api/dm/views/1/"),
    ("POST", "/api/tasks/"),
    ("PATCH", "/api/tasks/1/"),
    ("DELETE", "/api/tasks/1/"),
    ("DELETE", "/api/annotations/1/"),
    ("POST", "/api/predictions/"),
    ("GET", "/user/account"),
    ("POST", "/user/login/"),
    ("POST", "/user/signup/"),
    ("GET", "/organization/"),
    ("GET", "/organization/webhooks"),
    ("GET", "/projects/1/settings/"),
    ("GET", "/projects/1/settings/webhooks"),
    ("GET", "/projects/1/data/import"),
    ("GET", "/projects/1/data/export"),
    ("GET", "/admin/"),
    ("POST", "/admin/login/"),
    ("GET", "/django-rq/"),
    ("GET", "/docs/api/"),
    ("GET", "/docs/api/schema/json/"),
    ("GET", "/swagger/"),
    ("GET", "/feature-flags/"),
    ("GET", "/heidi-tips"),
    ("GET", "/heidi-tips/"),
    ("POST", "/__lsa/"),
    ("GET", "/metrics/"),
    ("GET", "/trigger500/"),
    ("GET", "/sw.js"),
    ("TRACE", "/api/version"),
    ("OPTIONS", "/api/projects/1"),
]
"""Where nobody gets by the gate: set up, taken out or read by nothing but the appliance itself."""

REVIEWERS_NOT = [
    ("GET", "/projects/1/data"),
    ("GET", "/projects/1/data?task=2"),
    ("GET", "/projects/1/data?labeling=0"),
    ("GET", "/projects/1/data?labeling=1&labeling=0"),
    ("PATCH", "/api/dm/views/1/"),
]

REVIEWERS = [
    ("GET", "/projects/1/data?labeling=1", None),
    ("GET", "/api/projects/1", None),
    ("GET", "/api/current-user/whoami", None),
    ("POST", "/api/dm/actions?id=next_task&tabID=1&project=1", "next"),
    ("GET", "/api/tasks/7?project=1", "served"),
    ("POST", "/api/tasks/7/annotations?project=1", "answer"),
    ("POST", "/api/tasks/7/drafts?project=1", "served"),
    ("POST", "/api/tasks/7/annotations/3/drafts", "served"),
    ("PATCH", "/api/annotations/3/", "own"),
    ("DELETE", "/api/drafts/3/", "own"),
    ("GET", "/react-app/main.js?v=1", None),
    ("GET", "/static/css/main.9be72da65a79.css", None),
]


def asked(role: Role, method: str, target: str) -> Rule | None:
    path, _, query = target.partition("?")
    return rule_for(RULES, role, method, path.encode(), query.encode())


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("method", "target"), NOBODY)
def test_nobody_gets_to_what_only_the_appliance_may(role: Role, method: str, target: str) -> None:
    assert asked(role, method, target) is None


@pytest.mark.parametrize(("method", "target"), REVIEWERS_NOT)
def test_a_lead_gets_where_a_reviewer_does_not(method: str, target: str) -> None:
    assert asked(Role.REVIEWER, method, target) is None
    assert asked(Role.LEAD, method, target) is not None


@pytest.mark.parametrize(("method", "target", "check"), REVIEWERS)
def test_a_reviewer_gets_what_the_screen_asks_for(
    method: str, target: str, check: str | None
) -> None:
    rule = asked(Role.REVIEWER, method, target)
    assert rule is not None
    assert rule.check == check
    assert asked(Role.MANAGER, method, target) is None


@pytest.mark.parametrize("target", ["/api/tasks?page=1&project=1", "/api/users?project=1"])
def test_lists_are_empty_for_a_reviewer_and_never_asked_for(target: str) -> None:
    rule = asked(Role.REVIEWER, "GET", target)
    assert rule is not None
    assert rule.instead is not None
    lead = asked(Role.LEAD, "GET", target)
    assert lead is not None
    assert lead.instead is None


@pytest.mark.parametrize(
    "path",
    [
        "/static/../api/webhooks/",
        "/static/..%2fapi/webhooks/",
        "/static/%2e%2e/api/webhooks/",
        "//api/version",
        "/api//version",
        "/react-app/./../admin/",
        "/api/version%00",
        "/api/version;x",
        "/api/version\\",
        "/api/\uff56ersion",
        "/api/version\n",
        "/api/projects/1234567890123456789/",
        "/api/projects/-1/",
        "/static/",
    ],
)
def test_a_path_that_two_readers_could_take_differently_is_refused(path: str) -> None:
    assert rule_for(RULES, Role.ADMINISTRATOR, "GET", path.encode(), b"") is None


@pytest.mark.parametrize("query", [b"\xff=1", b"&".join([b"a=1"] * 51)])
def test_a_query_that_is_none_is_refused(query: bytes) -> None:
    allowed = rule_for(RULES, Role.LEAD, "GET", b"/api/version", b"a=1")
    assert allowed is not None
    assert rule_for(RULES, Role.LEAD, "GET", b"/api/version", query) is None


@pytest.mark.parametrize("key", ["completed_by", "updated_by", "task", "id", "user"])
def test_who_did_a_review_is_nobodys_to_say(key: str) -> None:
    for target in ("/api/tasks/7/annotations", "/api/tasks/7/drafts"):
        rule = asked(Role.LEAD, "POST", target)
        assert rule is not None
        assert rule.body is not None
        assert key not in rule.body


def test_tasks_and_documents_are_known_once_they_were_handed_out() -> None:
    shown = Shown()
    assert not shown.has_task("p", 7)
    shown.note(
        "p", {"id": 7, "data": {"pages": ["/data/local-files/?d=pages/0192-ab/p1.png"], "n": 1}}
    )
    shown.note("p", [{"taskId": 5, "annotationId": 2}])
    assert shown.has_task("p", 7)
    assert shown.has_task("p", 5)
    assert shown.has_document("p", "0192-ab")
    assert not shown.has_task("q", 7)
    assert not shown.has_document("q", "0192-ab")


@pytest.mark.parametrize(
    "path",
    ["pages/a/p0.png", "pages/../p1.png", "pages/a/b/p1.png", "pages/a/p1.png/", "token",
     "pages/a/p1.json", "pages//p1.png", "pages/a/p1.png\n"],
)  # fmt: skip
def test_only_a_page_image_is_a_page_image(path: str) -> None:
    assert PAGE.fullmatch("pages/0192-ab/p12.png")
    assert PAGE.fullmatch(path) is None
