# SPDX-License-Identifier: LGPL-3.0-or-later
# ruff: noqa: B018, D100 - Odoo reads one expression
{
    "name": "Paperwork from idp",
    "summary": "Faxes, scans and mails as records with searchable, evidenced fields",
    "version": "1.0.0",
    "license": "LGPL-3",
    "author": "idp",
    "category": "Productivity/Documents",
    "depends": ["mail"],
    "data": [
        "security/groups.xml",
        "security/ir.model.access.csv",
        "security/rules.xml",
        "views/document_views.xml",
        "views/line_views.xml",
        "views/menus.xml",
    ],
    "application": True,
    "installable": True,
}
