# SPDX-License-Identifier: Apache-2.0
"""What sound documents are made of: places, codes and wordings that belong together."""

from __future__ import annotations

import random
from functools import cache

from idp.values import icd10
from training.synthesise import values

SPLIT: values.Split = "train"
PLACES = (
    ("Columbus", "OH", "43215"),
    ("Austin", "TX", "78701"),
    ("Chicago", "IL", "60611"),
    ("Philadelphia", "PA", "19103"),
    ("Tampa", "FL", "33602"),
    ("Sacramento", "CA", "95814"),
    ("Albany", "NY", "12207"),
    ("Wichita", "KS", "67202"),
    ("Seattle", "WA", "98101"),
    ("Atlanta", "GA", "30303"),
    ("Raleigh", "NC", "27601"),
    ("Detroit", "MI", "48201"),
    ("Boston", "MA", "02108"),
)
"""Cities whose state and ZIP code belong together."""

AREA_CODES = ("614", "512", "312", "215", "813", "916", "518", "206", "404", "919", "313", "617")
PROCEDURES = (
    ("72148", "MRI lumbar spine without contrast"),
    ("73721", "MRI lower extremity joint"),
    ("97110", "Therapeutic exercises"),
    ("99214", "Office visit, established patient"),
    ("93015", "Cardiovascular stress test"),
    ("45378", "Colonoscopy, diagnostic"),
    ("95810", "Polysomnography"),
    ("E0601", "Continuous positive airway pressure device"),
    ("G0151", "Physical therapy at home"),
    ("L1833", "Knee orthosis, adjustable"),
)
DENIALS = (
    "The records do not show a documented trial of a home exercise program, which the plan's "
    "physical therapy guideline requires before further visits are covered",
    "Six weeks of conservative treatment are required before imaging of the spine is covered, and "
    "the notes sent to us show two weeks",
)
NOTES = (
    "Low back pain with left leg weakness for ten weeks. Failed six weeks of physical therapy.",
    "Pain and swelling of the right knee for three months. Radiographs show joint narrowing.",
    "Exertional chest tightness for six weeks. The resting tracing was not normal.",
)
ASKED = (
    "Office notes of the last six months and the report of the imaging study",
    "The sleep study report and the face-to-face visit note",
)


def dice(*seed: object) -> random.Random:
    """Chance that is the same for the same words."""
    return random.Random("/".join(map(str, seed)))  # noqa: S311 - not for secrets


@cache
def diagnoses() -> tuple[tuple[str, str], ...]:
    """Billable codes of the ICD-10-CM list, with a name."""
    pool = {values.diagnosis(dice("diagnoses", n), SPLIT) for n in range(400)}
    known = sorted((code, text) for code, text in pool if icd10.is_billable(code))
    if len(known) < len(NOTES):
        raise RuntimeError("the pools of the generator hold too few diagnoses that exist")
    return tuple(known)


def mbi(rng: random.Random) -> str:
    """A Medicare number that follows the CMS pattern."""
    letters = "ACDEFGHJKMNPQRTUVWXY"
    kinds = "CA*NA*NAANN"
    return "".join(
        rng.choice(
            {
                "C": "123456789",
                "A": letters,
                "N": "0123456789",
                "*": letters + "0123456789",
            }[kind]
        )
        for kind in kinds
    )
