# SPDX-License-Identifier: Apache-2.0
"""Samples of other ways to arrive: a mail with attachments, a stack of two patients, an 835."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Callable
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path

from reportlab.lib.pagesizes import letter

from idp.samples import forms
from idp.samples.make import samples
from idp.samples.people import Registry
from idp.samples.sheet import Sheet

_SEED_OF_THE_MAIL = 100_000
"""Added to the seed, so that the mail brings other people than the samples beside it."""

_LINES = (
    ("99214", Decimal("185.00"), Decimal("52.40"), Decimal("20.00")),
    ("93000", Decimal("64.00"), Decimal("31.15"), Decimal("0.00")),
    ("80053", Decimal("48.00"), Decimal("27.60"), Decimal("5.10")),
)
"""Procedure, billed, contractual adjustment (CO-45) and deductible (PR-1) of a service line."""


def arrivals(folder: Path, seed: int, today: dt.date) -> list[Path]:
    """Write the files into ``folder``, each whole at once; returns their paths.

    Args:
        folder: Where the files go; it is there.
        seed: Another seed gives other people and numbers.
        today: The day that the files' dates are near.
    """
    made: tuple[tuple[str, Callable[[int, dt.date], bytes]], ...] = (
        ("13-mail-with-two-attachments.eml", _mail),
        ("14-stack-of-two-patients.pdf", _stack),
        ("15-remittance.835", _interchange),
    )
    return [_put(folder / name, make(seed, today)) for name, make in made]


def _put(target: Path, content: bytes) -> Path:
    half = target.with_name(f".{target.name}")
    with half.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return half.replace(target)


def _mail(seed: int, today: dt.date) -> bytes:
    message = EmailMessage()
    message["From"] = "Front Desk <desk@harborview.example>"
    message["To"] = "intake@clinic.example"
    message["Subject"] = "Two documents from Harborview"
    message["Date"] = dt.datetime.combine(today, dt.time(14, 5), dt.UTC)
    message["Message-ID"] = f"<{seed}.{today:%Y%m%d}@harborview.example>"
    message.set_content("Hello,\n\nplease find two documents attached.\n\nThank you\n")
    names = {"02-referral-printed.pdf": "pdf", "03-prior-auth-request.tif": "tiff"}
    with tempfile.TemporaryDirectory() as work:
        for sample in samples(Path(work), seed + _SEED_OF_THE_MAIL, today, set(names)):
            subtype = names[sample.path.name]
            message.add_attachment(
                sample.path.read_bytes(),
                maintype="application" if subtype == "pdf" else "image",
                subtype=subtype,
                filename=sample.path.name,
            )
    message.set_boundary(f"part-of-{seed}-{today:%Y%m%d}")
    return message.as_bytes()


def _stack(seed: int, today: dt.date) -> bytes:
    """Two patients' referrals on the same form, scanned as one file."""
    people = Registry(seed * 1000 + 14)
    with tempfile.TemporaryDirectory() as work:
        drawn = Path(work) / "stack.pdf"
        sheet = Sheet(drawn, people.random, letter, None)
        forms.referral_cells(sheet, people, today, complete=True)
        sheet.page()
        forms.referral_cells(sheet, people, today, complete=True)
        sheet.save()
        return drawn.read_bytes()


def _interchange(seed: int, today: dt.date) -> bytes:
    """An 835 (005010X221A1) of two claims that balances."""
    people = Registry(seed * 1000 + 15)
    payer, payee = people.cover().payer, people.provider("Internal Medicine")
    trace, day = people.digits(9), f"{today - dt.timedelta(days=2):%Y%m%d}"
    claims, total = [], Decimal(0)
    for number, lines in enumerate((_LINES[:2], _LINES[2:]), 1):
        patient, member_id = people.person(), people.cover().member_id
        billed = sum((line[1] for line in lines), Decimal(0))
        deductible = sum((line[3] for line in lines), Decimal(0))
        paid = billed - deductible - sum((line[2] for line in lines), Decimal(0))
        total += paid
        claims += [
            f"CLP*A{number:04d}*1*{billed}*{paid}*{deductible}*12*{people.digits(12)}*11",
            f"NM1*QC*1*{patient.last.upper()}*{patient.first.upper()}****MI*{member_id}",
            f"DTM*232*{day}",
        ]
        for code, charge, adjusted, owed in lines:
            claims += [
                f"SVC*HC:{code}*{charge}*{charge - adjusted - owed}**1",
                f"DTM*472*{day}",
                f"CAS*CO*45*{adjusted}",
                *([f"CAS*PR*1*{owed}"] if owed else []),
                f"AMT*B6*{charge - adjusted}",
            ]
    inside = [
        "ST*835*0001",
        f"BPR*I*{total}*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*{day}",
        f"TRN*1*{trace}*1512345678",
        f"DTM*405*{day}",
        f"N1*PR*{payer.upper()}",
        f"N1*PE*{payee.practice.upper()}*XX*{payee.npi}",
        "LX*1",
        *claims,
    ]
    inside.append(f"SE*{len(inside) + 1}*0001")
    segments = [
        f"ISA*00*{' ' * 10}*00*{' ' * 10}*ZZ*{'EVERGREEN':15}*ZZ*{'CLINIC':15}*{today:%y%m%d}*1405"
        "*^*00501*000000001*0*T*:",
        f"GS*HP*EVERGREEN*CLINIC*{today:%Y%m%d}*1405*1*X*005010X221A1",
        *inside,
        "GE*1*1",
        "IEA*1*000000001",
    ]
    return ("~\n".join(segments) + "~\n").encode("ascii")
