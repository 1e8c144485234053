# SPDX-License-Identifier: LGPL-3.0-or-later
"""The lines of a document; nobody writes them but the document itself (see ``document.py``)."""

from odoo import fields, models


class IdpDocumentField(models.Model):
    """One value that was found on a document, with its evidence."""

    _name = "idp.document.field"
    _description = "Field of a document"
    _order = "document_id, sequence, id"
    _rec_name = "label"

    document_id = fields.Many2one("idp.document", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer()
    name = fields.Char(required=True, index=True, help="As idp calls it: member_id, payer_name ...")
    label = fields.Char(required=True)
    value = fields.Char(help="Normalised: dates as YYYY-MM-DD, amounts as plain decimals.")
    raw = fields.Char(help="As it is printed.")
    value_type = fields.Selection(
        [("char", "Text"), ("date", "Date"), ("amount", "Amount")], required=True, default="char"
    )
    value_date = fields.Date(index=True)
    value_amount = fields.Monetary(currency_field="currency_id")
    currency_id = fields.Many2one("res.currency")
    confidence = fields.Float(digits=(5, 4), aggregator="avg", help="0 to 1.")
    page = fields.Integer()
    box = fields.Char(help="x0 y0 x1 y1, relative to the page, origin top left.")
    source = fields.Char(help="What found it: a model, a form's known place, the file, a reviewer.")
    corrected = fields.Boolean(help="A reviewer gave, changed or confirmed the value.")
    mended = fields.Selection([("repaired", "Repaired"), ("derived", "Derived")])

    kind = fields.Char(related="document_id.kind", store=True, index=True)
    payer_name = fields.Char(related="document_id.payer_name", store=True)
    received_at = fields.Datetime(related="document_id.received_at", store=True)
    company_id = fields.Many2one(related="document_id.company_id", store=True, index=True)


class IdpDocumentFinding(models.Model):
    """What a rule says about a document, or something that it lacks."""

    _name = "idp.document.finding"
    _description = "Finding on a document"
    _order = "document_id, sequence, id"
    _rec_name = "message"

    document_id = fields.Many2one("idp.document", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer()
    kind = fields.Selection([("missing", "Missing"), ("finding", "Finding")], required=True)
    rule = fields.Char(index=True)
    severity = fields.Selection([("block", "Blocking"), ("warn", "Warning"), ("info", "Note")])
    field_name = fields.Char(index=True)
    label = fields.Char()
    message = fields.Char()
    remedy = fields.Char()
    page = fields.Integer()

    document_kind = fields.Char(
        "Kind of document", related="document_id.kind", store=True, index=True
    )
    payer_name = fields.Char(related="document_id.payer_name", store=True)
    received_at = fields.Datetime(related="document_id.received_at", store=True)
    company_id = fields.Many2one(related="document_id.company_id", store=True, index=True)
