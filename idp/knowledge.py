# SPDX-License-Identifier: Apache-2.0
"""What documents are judged by besides their schema: lists, directories, requirements, clocks.

All of it is data that an administrator imports or writes; the rules get it handed in, so that a
rule stays a plain function and a decision can be made again with what was known then.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from idp.calibration import Calibration
from idp.clocks import Clockwork
from idp.document import Release
from idp.masters import Directories
from idp.reductions import Reductions
from idp.reference import Reference
from idp.requirements import Companion, Requirements
from idp.settings import SiteSettings


class Knowledge(NamedTuple):
    """Everything imported or written that rules look things up in; empty where there is none."""

    reference: Reference = Reference()
    """Imported code lists and registers."""
    calibration: Calibration | None = None
    """How often values are wrong that models read; without it nothing is measured against the
    accuracy target."""
    masters: Directories | None = None
    """Our own members, providers and payers."""
    reductions: Reductions = Reductions()
    """Categories of reason codes, and remarks that explain a balance."""
    versions: tuple[tuple[str, str], ...] = ()
    """Name and version of each part, for the record of a decision."""
    requirements: Requirements = Requirements()
    """What payers ask for beside the schema (rules C3 and C4)."""
    clocks: Clockwork | None = None
    """Which clocks run, by which calendar, and the words of urgency."""


class Circumstances(NamedTuple):
    """How one document came, as far as its decision depends on it."""

    received_at: dt.datetime
    """Aware; clocks start here."""
    site: SiteSettings = SiteSettings()
    release: Release | None = None
    """What its channel says of leaving by itself."""
    priority: int = 5
    """Of its channel."""
    companions: tuple[Companion, ...] = ()
    """The other documents of the same arrival: what a form asks for may be among them."""
    layout_known: bool = False
    """Whether it is of a layout that was corrected here before."""
    drawn: bool = False
    """Whether it is in the quality sample, should nothing else keep it."""
