# SPDX-License-Identifier: Apache-2.0
"""Delivery: finished documents leave through one door, each once."""

from idp.deliver.outbox import Delivery, Outbox
from idp.deliver.overlay import draw_overlay

__all__ = ["Delivery", "Outbox", "draw_overlay"]
