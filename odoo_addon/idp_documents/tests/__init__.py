# SPDX-License-Identifier: LGPL-3.0-or-later
"""Run by Odoo: ``odoo -i idp_documents --test-tags /idp_documents``."""

from . import test_document  # noqa: F401 - Odoo imports it
