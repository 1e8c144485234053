# SPDX-License-Identifier: Apache-2.0
{  # noqa: B018 - read, not run, by Odoo
    "name": "Stand-in for Documents (Enterprise)",
    "summary": "The models of Odoo's proprietary module, for tests only",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "depends": ["mail"],
    "data": ["security/groups.xml", "security/ir.model.access.csv"],
}
