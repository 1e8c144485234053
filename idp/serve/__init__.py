# SPDX-License-Identifier: Apache-2.0
"""The status page: what waits, what is worked on, what was found, and where on the page.

Doors: :func:`create_app` (the web application) and :class:`StatusPage` (the same, served from a
thread of the running appliance).
"""

from idp.serve.app import create_app
from idp.serve.server import StatusPage

__all__ = ["StatusPage", "create_app"]
