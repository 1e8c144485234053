# SPDX-License-Identifier: Apache-2.0
"""Which words of a mail its sender wrote: what decides whether its text is read."""

from __future__ import annotations

import pytest

from idp.ingest.letter_words import is_machine_note, own_words

OWN = "Please call the patient tomorrow about the knee."
DISCLAIMER = (
    "CONFIDENTIALITY NOTICE: This e-mail is intended only for the recipient. If you are not the "
    "intended recipient, any disclosure is prohibited; please notify the sender and delete it.\n"
)


@pytest.mark.parametrize(
    "rest",
    [
        "> He wrote many words\n> on several lines\n",
        "On Mon, Jan 5, 2026 at 10:00 AM Ann <ann@example.org> wrote:\n\n many words of hers\n",
        "On Mon, Jan 5, 2026 at 10:00 AM Ann Sender with a long name\n<a@b.org> wrote:\n words\n",
        "-----Original Message-----\nFrom: x\nmany words here\n",
        "From: Ann\nSent: Monday\nTo: Bob\nSubject: RE: it\n\nmany words of the other mail\n",
        "-- \nDr. Ann Example, Orthopaedics and Sports Medicine of Springfield\n",
        "Best regards,\nAnn Example\nOrthopaedics of Springfield\nTel: 555 0100\n",
        DISCLAIMER,
        "Phone: 555-0100\nwww.example.org\nann@example.org\nSent from my telephone\n",
    ],
)
def test_quotes_signatures_and_disclaimers_are_not_the_senders_own(rest: str) -> None:
    assert own_words(f"{OWN}\n\n{rest}").words == own_words(OWN).words == 8


def test_what_is_forwarded_is_content() -> None:
    inner = "From: Ann\nSent: Monday\nTo: Bob\n\nThe patient has had pain for weeks.\n"
    assert own_words(f"FYI\n\n{inner}", "FW: referral").words > 8
    assert own_words(f"FYI\n\n{inner}", "RE: referral").words == 1
    marked = f"FYI\n\n---------- Forwarded message ----------\n{OWN}\n"
    assert own_words(marked).words > 8


def test_labelled_values_are_counted_and_contacts_are_not() -> None:
    text = "Patient: Ann\nDOB: 02/01/1960\n- Member ID: X1\nPhone: 555 0100\nFax: 555\nFrom: me\n"
    assert own_words(text).labelled == 3


def test_a_letter_that_thanks_in_the_middle_is_counted_whole() -> None:
    text = "Thank you,\n" + "\n".join([OWN] * 20)
    assert own_words(text).words > 100


@pytest.mark.parametrize(
    "notice",
    [
        "You have received a 3 page fax at 2026-01-05 10:54:48 EST.",
        "You've got a new fax from (555) 010-0100",
        "A 4-page fax has been received from 5550100.",
        'This E-mail was sent from "RNP0026739" (IM C3000).\nScan Date: 01.05.2026',
        "Please open the attached document. This document was scanned from a Xerox\nMultifunction",
    ],
)
def test_notices_of_fax_servers_and_scanners_are_known(notice: str) -> None:
    assert is_machine_note(notice)


def test_what_people_write_about_faxes_is_no_notice() -> None:
    for text in ("We never got your fax of Monday.", "Please fax the records of the patient.", OWN):
        assert not is_machine_note(text)


def test_labels_of_a_transmission_are_not_content() -> None:
    text = "From: +15550100\nReceived: 1/5/2026\nPages: 3\nCSID: 555\nDuration: 91 s\nJob ID: 7\n"
    assert own_words(text).labelled == 0
