# SPDX-License-Identifier: Apache-2.0
"""The gate: how people come in, and all that they can reach of Label Studio.

The community edition of Label Studio has no roles: whoever may sign in there may delete a project,
read the webhook's secret and export everything. So it listens on loopback only, and people reach
it through here: with an account of the appliance, as a Label Studio user that nobody else can be,
and for what their role needs (``routes.yaml``). See ``docs/review-access.md``.

Doors: :func:`gate_of` (as the settings want it), :func:`receiver_of` (where Label Studio's hints
come in), :func:`create_gate` (the web application), :class:`Listener` (a web application served
from a thread), :func:`require_sign_on` (the same sign-on before the status page), :class:`Guard`.
"""

from idp.gate.app import create_gate
from idp.gate.door import actor_of, require_sign_on, role_of
from idp.gate.guard import Guard
from idp.gate.label_studio import Upstream
from idp.gate.listener import Listener
from idp.gate.opening import gate_of, receiver_of
from idp.gate.passwords import hashed

__all__ = [
    "Guard",
    "Listener",
    "Upstream",
    "actor_of",
    "create_gate",
    "gate_of",
    "hashed",
    "receiver_of",
    "require_sign_on",
    "role_of",
]
