# SPDX-License-Identifier: Apache-2.0
"""How a document came: who is believed first, and what people are shown of it."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from rich.console import Console

from idp.came import Came
from idp.cli import render
from idp.contract import envelope_facts, to_contract
from idp.document import Document, DocumentType, Envelope
from idp.serve.view import document_view
from idp.settings import DecisionSettings

SENT = dt.datetime(2026, 3, 14, 20, 36, tzinfo=dt.UTC)


def test_the_sidecar_is_believed_before_the_mail_the_header_and_the_channel():
    came = Came(
        channel=Envelope(site="north", sender="channel", told_by=("channel",)),
        sidecar=Envelope(sender="sidecar", told_by=("sidecar",)),
    )
    joined = came.envelope(
        mail=Envelope(sender="mail", subject="mail", told_by=("mail",)),
        header=Envelope(subject="header", recipient="header", told_by=("fax_header",)),
        cover=4,
    )
    assert joined == Envelope(
        sender="sidecar",
        subject="mail",
        recipient="header",
        site="north",
        pages_announced=4,
        told_by=("sidecar", "mail", "fax_header", "channel"),
    )


def test_the_cover_sheet_is_asked_last_how_many_pages_there_are():
    told = Envelope(pages_announced=3, told_by=("fax_header",))
    assert Came().envelope(header=told, cover=9) == told
    assert Came().envelope() is None


def document(envelope: Envelope | None) -> Document:
    return Document(
        document_id="doc-1",
        source="a.tif",
        sha256="0" * 64,
        channel="fax",
        type=DocumentType.OTHER,
        type_confidence=0.9,
        pages=(1,),
        envelope=envelope,
    )


FULL = Envelope(
    sender="606-555-0174",
    sender_name="MARLOW [b]MED[/b]",
    recipient="555-867-5309",
    sent_at=SENT,
    pages_announced=3,
    subject="Referral <script>",
    message_id="<1@birchwood.example>",
    attachment=2,
    transmission_id="F1",
    site="north",
    told_by=("sidecar", "fax_header"),
)


def test_people_are_shown_all_that_is_known():
    local = SENT.astimezone()
    assert dict(envelope_facts(FULL)) == {
        "from": "MARLOW [b]MED[/b] 606-555-0174",
        "to": "555-867-5309",
        "sent": f"{local:%Y-%m-%d %H:%M %Z}",
        "pages": "3 announced",
        "subject": "Referral <script>",
        "message": "<1@birchwood.example>",
        "part": "attachment 2",
        "fax id": "F1",
        "site": "north",
        "told by": "sidecar, fax header",
    }


@pytest.mark.parametrize("envelope", [Envelope(), Envelope(told_by=("sidecar",))])
def test_an_envelope_that_tells_nothing_is_not_shown(envelope):
    assert envelope_facts(envelope) == ()


def test_the_table_and_the_page_show_the_envelope_as_text():
    out = io.StringIO()
    render.document(Console(file=out, width=120), document(FULL))
    assert "from     MARLOW [b]MED[/b] 606-555-0174" in out.getvalue()
    assert "pages    3 announced" in out.getvalue()
    view = document_view(document(FULL), [], None, DecisionSettings())
    assert view.envelope == envelope_facts(FULL)
    assert document_view(document(None), [], None, DecisionSettings()).envelope == ()


def test_the_contract_carries_the_envelope():
    record = to_contract(document(FULL))["envelope"]
    assert record["sent_at"] == "2026-03-14T20:36:00Z"
    assert record["told_by"] == ["sidecar", "fax_header"]
    assert to_contract(document(None))["envelope"] is None
