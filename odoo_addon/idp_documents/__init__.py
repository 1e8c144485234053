# SPDX-License-Identifier: LGPL-3.0-or-later
"""Odoo's side of the idp appliance: documents with their fields as records."""

from . import models  # noqa: F401 - Odoo imports it
