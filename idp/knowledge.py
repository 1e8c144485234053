# SPDX-License-Identifier: Apache-2.0
"""What documents are judged by besides their schema: lists, directories, requirements, clocks.

All of it is data that an administrator imports or writes; the rules get it handed in, so that a
rule stays a plain function and a decision can be made again with what was known then.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from idp.reductions import Reductions
from idp.settings import Release, SiteSettings


class Knowledge(NamedTuple):
    """Everything imported or written that rules look things up in; empty where there is none."""

    reductions: Reductions = Reductions()
    """Categories of reason codes, and remarks that explain a balance."""
    versions: tuple[tuple[str, str], ...] = ()
    """Name and version of each part, for the record of a decision."""


class Circumstances(NamedTuple):
    """How one document came, as far as its decision depends on it."""

    received_at: dt.datetime
    """Aware; clocks start here."""
    site: SiteSettings = SiteSettings()
    release: Release | None = None
    """What its channel says of leaving by itself."""
    priority: int = 5
    """Of its channel."""
