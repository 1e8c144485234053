# SPDX-License-Identifier: Apache-2.0
"""The review room: doubtful documents go to a Label Studio, what people correct comes back.

Our database is the truth and ``document_id`` the key; Label Studio is a screen that can be thrown
away and filled again. :mod:`.server` runs our own one, :mod:`.access` knows where it is and what
opens it, :mod:`.provisioning` sets its projects up, :mod:`.station` keeps all of that going, and
the rest of the room feeds and empties it.
"""

from idp.review.access import WEBHOOK_PATH, Place, place_of, webhook_secret
from idp.review.in_force import screens_in_force, screens_of, station_of
from idp.review.provisioning import (
    MODEL_VERSION,
    Outcome,
    Provisioned,
    Screen,
    provision,
    provisioned,
)
from idp.review.server import VERSION, LabelStudio, environment_of, healthy, installed
from idp.review.station import Station

__all__ = [
    "MODEL_VERSION",
    "VERSION",
    "WEBHOOK_PATH",
    "LabelStudio",
    "Outcome",
    "Place",
    "Provisioned",
    "Screen",
    "Station",
    "environment_of",
    "healthy",
    "installed",
    "place_of",
    "provision",
    "provisioned",
    "screens_in_force",
    "screens_of",
    "station_of",
    "webhook_secret",
]
