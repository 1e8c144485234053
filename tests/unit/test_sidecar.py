# SPDX-License-Identifier: Apache-2.0
"""What fax servers write beside a fax, well formed, broken and hostile."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from idp.document import MOST_ENVELOPE_CHARACTERS, Envelope
from idp.errors import InputError
from idp.ingest import Told, envelope_from_name, read_sidecar
from idp.ingest.opened import printable
from idp.ingest.sidecar import parse_time
from idp.ingest.sidecar_formats import MOST_BYTES, pairs_of
from idp.settings import IngestSettings

CHICAGO = ZoneInfo("America/Chicago")
LIMITS = IngestSettings(timezone="America/Chicago")
AT = dt.datetime(2026, 1, 5, 10, 11, 12, tzinfo=CHICAGO)

RIGHTFAX = b"""<?xml version="1.0" encoding="utf-8"?>
<RightFax xmlns:r="urn:example"><r:Fax>
  <UniqueID>F00A17</UniqueID><RemoteID>6065550182</RemoteID><FromName>Birchwood Ortho</FromName>
  <DNIS>5558675309</DNIS><Received>1/5/2026 10:11:12 AM</Received><NumPages>3</NumPages>
</r:Fax></RightFax>"""
PROPERTIES = b"""<document><properties>
  <property name="Caller ID" value="+1 (606) 555-0182"/><property name="DID" value="555 867 5309"/>
  <property name="Page Count" value="3"/><property name="Job ID" value="F00A17"/>
</properties><Sender><Name>Birchwood Ortho</Name></Sender>
<Times start-time="2026-01-05T10:11:12"/></document>"""
NESTED_JSON = json.dumps(
    {
        "fax": {
            "id": "F00A17",
            "from": {"phoneNumber": "+16065550182", "name": "Birchwood Ortho"},
            "to": [{"phoneNumber": "+15558675309"}],
            "pageCount": 3,
            "receivedAt": "2026-01-05T16:11:12Z",
            "direction": "inbound",
        }
    }
).encode()
FAXINFO = b"""recvq/fax000004711.tif:
          Sender: +16065550182
           Pages: 3
         Quality: Fine
            Page: North American Letter
        Received: 2026:01:05 10:11:12
      TimeToRecv: 1:23
      SignalRate: 14400 bit/s
         CallID1: 6065550182
         CallID2: Birchwood Ortho
         CallID3: 5558675309
"""
KEYS = (
    b"From_Number = 606-555-0182\r\nFrom Name = Birchwood Ortho\r\nDate=01/05/2026\r\n"
    b"Time=10:11:12\r\nPages=3\r\n"
)
XFERFAXLOG = (
    b'01/05/26 10:11\tRECV\t000004711\tttyS0\trecvq/fax000004711.tif\t""\tfax\t"5558675309"\t'
    b'"606 555 0182"\t4128\t3\t1:10\t0:59\t""\t"6065550182"\t"Birchwood Ortho"\t""\t""\t""\n'
)


def told(tmp_path: Path, data: bytes, name: str = "a.xml", document: str = "a.tif") -> Told:
    path = tmp_path / "sidecar"
    path.write_bytes(data)
    return read_sidecar(path, name, document, LIMITS)


@pytest.mark.parametrize(
    "data",
    [RIGHTFAX, PROPERTIES, NESTED_JSON, FAXINFO, KEYS, XFERFAXLOG],
    ids=["rightfax", "properties", "json", "faxinfo", "keys", "xferfaxlog"],
)
def test_every_servers_way_tells_the_same(tmp_path, data):
    answer = told(tmp_path, data)
    assert answer.flaw is None
    envelope = answer.envelope
    assert envelope.told_by == ("sidecar",)
    assert envelope.sender == "606-555-0182"
    assert envelope.sender_name == "Birchwood Ortho"
    assert envelope.pages_announced == 3
    assert envelope.sent_at is not None
    assert envelope.sent_at.replace(second=12) == AT
    if data in (RIGHTFAX, PROPERTIES, NESTED_JSON, XFERFAXLOG):
        assert envelope.recipient == "555-867-5309"
    if data in (RIGHTFAX, PROPERTIES, NESTED_JSON):
        assert envelope.transmission_id == "F00A17"


def test_a_station_id_stands_where_no_number_is(tmp_path):
    answer = told(tmp_path, b"<fax><CSID>BIRCHWOOD 2</CSID><Pages>1</Pages></fax>")
    assert answer.envelope.sender == "BIRCHWOOD 2"


def test_a_sender_without_a_digit_is_a_name(tmp_path):
    answer = told(tmp_path, b"Sender: Birchwood Orthopedics\nPages: 2\n", "a.txt")
    assert answer.envelope.sender is None
    assert answer.envelope.sender_name == "Birchwood Orthopedics"


def test_an_unknown_sidecar_tells_nothing_and_is_no_flaw(tmp_path):
    answer = told(tmp_path, b"<Lorem><Ipsum>dolor</Ipsum></Lorem>")
    assert answer == Told(envelope=Envelope(told_by=("sidecar",)))


BILLION = b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><x><pages>&b;</pages></x>"
EXTERNAL = b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><x><subject>&e;</subject></x>"


@pytest.mark.parametrize(
    ("data", "flaw"),
    [
        (BILLION, "document type declaration"),
        (EXTERNAL, "document type declaration"),
        (b"<a><b></a>", "broken XML"),
        (b"<a>" * 40 + b"</a>" * 40, "nested deeper"),
        (b"<a>" + b"<b c='1'/>" * 3000 + b"</a>", "more than 2000 values"),
        (b'{"pages": ', "broken JSON"),
        (b"[" * 30_000, "broken JSON"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested deeper"),
        (b'{"pages": ' + b"9" * 5000 + b"}", "broken JSON"),
        (b"x" * (MOST_BYTES + 1), "more than 65536 bytes"),
        (b"", "no XML, JSON or lines"),
        (bytes(range(128, 256)) * 8, "no XML, JSON or lines"),
    ],
)
def test_a_broken_or_hostile_sidecar_is_a_flaw_and_no_error(tmp_path, data, flaw):
    answer = told(tmp_path, data)
    assert answer.envelope == Envelope(told_by=("sidecar",))
    assert answer.flaw is not None
    assert flaw in answer.flaw


def test_a_sidecar_that_is_gone_is_a_flaw(tmp_path):
    answer = read_sidecar(tmp_path / "none", "a.xml", "a.tif", LIMITS)
    assert answer.flaw is not None


def test_foreign_text_is_cut_and_has_no_control_characters(tmp_path):
    subject = "Re:\x1b[31m \u202egniliam\u0000 " + "long " * 400
    answer = told(tmp_path, json.dumps({"subject": subject}).encode())
    assert answer.envelope.subject is not None
    assert len(answer.envelope.subject) <= MOST_ENVELOPE_CHARACTERS
    assert answer.envelope.subject.startswith("Re: [31m gniliam long")


@pytest.mark.parametrize("pages", ["0", "-1", "many", "123456", "", "1e3"])
def test_what_is_no_count_of_pages_is_not_taken_for_one(tmp_path, pages):
    data = json.dumps({"pages": pages, "subject": "x"}).encode()
    assert told(tmp_path, data).envelope.pages_announced is None


def test_any_encoding_that_servers_use_is_read(tmp_path):
    for encoding in ("utf-16", "utf-8-sig", "utf-8"):
        text = '{"senderName": "Praxis M\u00fcller", "pages": 3}'
        assert told(tmp_path, text.encode(encoding)).envelope.sender_name == "Praxis M\u00fcller"
    line = "SenderName: Praxis M\u00fcller\n".encode("cp1252")
    assert told(tmp_path, line).envelope.sender_name == "Praxis M\u00fcller"
    xml = "<?xml version='1.0' encoding='iso-8859-1'?><f><SenderName>M\u00fcller</SenderName></f>"
    assert told(tmp_path, xml.encode("latin-1")).envelope.sender_name == "M\u00fcller"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.binary(max_size=400) | st.sampled_from([RIGHTFAX, FAXINFO, NESTED_JSON, XFERFAXLOG]))
def test_any_bytes_give_pairs_or_a_coded_error(data):
    try:
        found = pairs_of(data)
    except InputError:
        return
    assert found


@settings(max_examples=300)
@given(st.data())
def test_a_few_broken_bytes_give_pairs_or_a_coded_error(draws):
    data = bytearray(draws.draw(st.sampled_from([RIGHTFAX, PROPERTIES, NESTED_JSON, FAXINFO])))
    for _ in range(draws.draw(st.integers(1, 6))):
        data[draws.draw(st.integers(0, len(data) - 1))] = draws.draw(st.integers(0, 255))
    try:
        assert pairs_of(bytes(data))
    except InputError:
        return


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T10:11:12",
        "2026-01-05 10:11:12",
        "2026-01-05T16:11:12Z",
        "2026-01-05T10:11:12-06:00",
        "2026:01:05 10:11:12",
        "20260105101112",
        "20260105T161112Z",
        "1767629472",
        "1767629472000",
        "Mon, 05 Jan 2026 10:11:12 -0600",
        "1/5/2026 10:11:12 AM",
        "Jan 5 2026 10:11:12",
        "05-JAN-2026 10:11:12",
    ],
)
def test_times_of_every_kind_are_one(text):
    assert parse_time(text, "America/Chicago") == AT


@pytest.mark.parametrize("text", ["", "soon", "2026-13-45T10:11:12", "99999999999999", "1:23"])
def test_what_is_no_time_is_none(text):
    assert parse_time(text, None) is None


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_none(text):
    moment = parse_time(text, "America/Chicago")
    assert moment is None or moment.tzinfo is not None


@given(st.text(max_size=2000))
def test_what_is_shown_is_one_short_line(text):
    shown = printable(text, MOST_ENVELOPE_CHARACTERS)
    assert len(shown) <= MOST_ENVELOPE_CHARACTERS
    assert shown == "" or shown.isprintable()


def test_a_time_without_a_zone_is_this_machines_where_no_setting_says_more():
    local = parse_time("2026-01-05T10:11:12", None)
    assert local == dt.datetime(2026, 1, 5, 10, 11, 12).astimezone()


def test_a_zone_that_does_not_exist_is_refused():
    with pytest.raises(ValidationError, match="no IANA time zone"):
        IngestSettings(timezone="Mars/Olympus")


@pytest.mark.parametrize(
    ("name", "sender", "pages", "identity"),
    [
        ("20260105_101112_6065550182_3p.tif", "606-555-0182", 3, None),
        ("+16065550182-2026-01-05T10-11-12.pdf", "606-555-0182", None, None),
        ("fax_6065550182_20260105101112.tif", "606-555-0182", None, None),
        ("2026-01-05T10_11_12-16065550182.pdf", "606-555-0182", None, None),
        ("in/20260105-101112-6065550182-0042.tif", "606-555-0182", None, "0042"),
    ],
)
def test_a_name_of_time_and_number_tells_both(name, sender, pages, identity):
    envelope = envelope_from_name(name, LIMITS)
    assert envelope == Envelope(
        sender=sender,
        sent_at=AT,
        pages_announced=pages,
        transmission_id=identity,
        told_by=("channel",),
    )


def test_a_name_of_hylafax_is_its_number_for_the_transmission():
    envelope = envelope_from_name("recvq/fax000004711.tif", LIMITS)
    assert envelope == Envelope(transmission_id="000004711", told_by=("channel",))


@pytest.mark.parametrize(
    "name",
    [
        "referral.tif",
        "scan_20260105101112.pdf",
        "20260105_101112_0000000001.tif",
        "20260105101112_001.pdf",
        "Quade_20260105_101112_6065550182.tif",
        "20261305_101112_6065550182.tif",
        "6065550182.tif",
        "fax.tif",
        "fax12.tif",
        "x" * 300 + ".tif",
    ],
)
def test_a_name_with_any_other_reading_tells_nothing(name):
    assert envelope_from_name(name, LIMITS) is None


@given(st.text(max_size=120))
def test_any_name_tells_an_envelope_or_nothing(name):
    envelope = envelope_from_name(name, LIMITS)
    assert envelope is None or envelope.told_by == ("channel",)


def test_the_documents_name_fills_what_the_sidecar_leaves_open(tmp_path):
    envelope = told(tmp_path, FAXINFO, "fax000004711.txt", "fax000004711.tif").envelope
    assert envelope.transmission_id == "000004711"
    assert envelope.told_by == ("sidecar", "channel")
