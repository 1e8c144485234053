# SPDX-License-Identifier: Apache-2.0
"""Mailboxes that could not work are refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from idp.errors import MailboxError
from idp.ingest.mailbox import Mailbox, waiting
from idp.settings import ChannelSettings, IngestSettings, MailboxSettings


def mailbox(**other: object) -> dict[str, object]:
    return {"host": "mail.example", "user": "intake", "password_file": Path("secret")} | other


def test_a_mailbox_needs_little():
    settings = IngestSettings(mailboxes={"intake": mailbox()})
    assert settings.mailboxes["intake"].channel == "email"
    assert settings.mailboxes["intake"].security == "tls"


@pytest.mark.parametrize(
    ("name", "options", "channel", "message"),
    [
        ("intake", {"channel": "nowhere"}, {}, "no channel"),
        ("In/../take", {}, {}, "no name"),
        ("intake", {}, {"keep_files": True}, "would not be taken"),
        ("intake", {}, {"done_suffix": ".done"}, "would not be taken"),
        ("intake", {}, {"sidecar": "required"}, "would not be taken"),
        ("intake", {"security": "none"}, {}, "in the clear"),
    ],
)
def test_what_can_not_work_is_refused(name, options, channel, message):
    with pytest.raises(ValidationError, match=message):
        IngestSettings(
            channels={"email": ChannelSettings(**channel)}, mailboxes={name: mailbox(**options)}
        )


def test_a_missing_password_file_is_a_mailbox_error(tmp_path):
    settings = MailboxSettings(**mailbox(password_file=tmp_path / "none"))
    with pytest.raises(MailboxError, match="password file"):
        waiting("intake", settings)


def test_a_server_that_is_not_there_is_a_problem_and_not_the_end(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    settings = MailboxSettings(
        **mailbox(host="127.0.0.1", port=1, security="none", password_file=secret)
    )
    one = Mailbox("intake", settings, tmp_path, max_bytes=1, recorded=lambda channel, names: ())
    with pytest.raises(MailboxError, match="mailbox intake: Connection refused"):
        one.empty()
