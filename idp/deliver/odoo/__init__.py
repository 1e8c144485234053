# SPDX-License-Identifier: Apache-2.0
"""Delivery to Odoo: Documents, OCA dms or plain attachments, each record exactly once."""
