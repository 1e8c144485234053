# SPDX-License-Identifier: Apache-2.0
"""Time limits: which clocks run for a document, on which calendar, and when they end.

All of it is data: ``rules/clocks.yaml``, ``rules/urgency.yaml`` and ``rules/calendars/*.yaml``.
"""

from idp.clocks.calendars import Calendar, WorkingTime, zone_of
from idp.clocks.clockwork import Clockwork, Running, load_clockwork
from idp.clocks.lengths import Length, due
from idp.clocks.rules import ClockRule, Step
from idp.clocks.wording import UrgencyWording

__all__ = [
    "Calendar",
    "ClockRule",
    "Clockwork",
    "Length",
    "Running",
    "Step",
    "UrgencyWording",
    "WorkingTime",
    "due",
    "load_clockwork",
    "zone_of",
]
