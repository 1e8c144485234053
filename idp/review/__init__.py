# SPDX-License-Identifier: Apache-2.0
"""The review room: doubtful documents go to a Label Studio, what people correct comes back.

Our database is the truth and ``document_id`` the key; Label Studio is a screen that can be thrown
away and filled again. :mod:`.server` runs our own one, :mod:`.access` knows where it is and what
opens it, :mod:`.provisioning` sets its projects up, and the rest of the room feeds and empties it.
"""

from idp.review.access import WEBHOOK_PATH, Place, place_of, webhook_secret
from idp.review.server import LabelStudio

__all__ = ["WEBHOOK_PATH", "LabelStudio", "Place", "place_of", "webhook_secret"]
