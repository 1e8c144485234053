# SPDX-License-Identifier: LGPL-3.0-or-later
"""``idp.document`` and its lines."""

from . import document, lines  # noqa: F401 - Odoo imports it
