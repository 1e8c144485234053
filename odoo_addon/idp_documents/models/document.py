# SPDX-License-Identifier: LGPL-3.0-or-later
"""``idp.document``: one document of paperwork, as the idp appliance delivered it.

idp writes one row by ``load()`` under an external id of its own, with ``payload``, the whole
contract object. The lines (fields, findings, what is missing) are made from it here, in the same
transaction: one call writes a document whole or not at all, the same call again changes nothing,
and a later version replaces the lines instead of adding to them.
"""

import json

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools.float_utils import float_repr

USER, MANAGER, BOT = (f"idp_documents.group_idp_{name}" for name in ("user", "manager", "bot"))
WORK = {"state", "user_id", "active", "note"}
"""What people write; all else is idp's word."""
QUIET = {
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    "tracking_disable": True,
}
"""Nothing about a patient goes into the chatter, from where it would be mailed to followers."""
MOST_LINES = 5000


class IdpDocument(models.Model):
    """One document. ``mail.thread`` is there only because activities are closed by it."""

    _name = "idp.document"
    _description = "Document of paperwork"
    _inherit = ["mail.thread", "mail.activity.mixin"]  # noqa: RUF012 - as Odoo reads it
    _mail_post_access = "read"
    _order = "due_at, received_at desc, id desc"

    name = fields.Char(required=True, help="Kind and number; holds nothing about a patient.")
    idp_key = fields.Char("Document id", required=True, copy=False, help="idp's own id of it.")
    version = fields.Integer(default=1, help="How often it was delivered with other content.")
    kind = fields.Char(required=True, index=True, help="referral, prior_auth_request ...")
    kind_label = fields.Char("Kind in words")
    subtype = fields.Char()
    channel = fields.Char(help="How it came: fax, email, scan ...")
    site = fields.Char()
    pages = fields.Integer("Number of pages")
    received_at = fields.Datetime("Received", index=True)
    decided_at = fields.Datetime("Decided")
    decision = fields.Selection(
        [("auto", "By itself"), ("review", "By a reviewer"), ("quarantine", "Set aside")],
        help="How it came to leave idp.",
    )
    urgency = fields.Selection(
        [("routine", "Routine"), ("urgent", "Urgent"), ("emergent", "Emergent")]
    )
    priority = fields.Integer(help="1 is worked first, 9 last.", aggregator=None)
    due_at = fields.Datetime("Due", index=True, help="When the first of its clocks ends.")
    clock = fields.Char(help="The rule that says so.")
    payer_name = fields.Char("Payer as printed", index=True)
    payer_id = fields.Many2one("res.partner", "Payer", ondelete="set null", index="btree_not_null")
    partner_id = fields.Many2one(
        "res.partner", "Contact", ondelete="set null", index="btree_not_null"
    )
    company_id = fields.Many2one(
        "res.company", index=True, default=lambda self: self.env.company, required=True
    )
    filed_model = fields.Char(help="Where the file itself is: documents.document, dms.file ...")
    filed_res_id = fields.Many2oneReference("Filed as", model_field="filed_model")
    work_model = fields.Char(help="The work item made for it: project.task, crm.lead ...")
    work_res_id = fields.Many2oneReference("Work item", model_field="work_model")
    source_sha256 = fields.Char("SHA-256 of the file as received")
    payload = fields.Text(
        groups=f"{MANAGER},{BOT}", copy=False, help="The contract object, idp.document/1 (JSON)."
    )
    labels = fields.Text(
        groups=f"{MANAGER},{BOT}",
        copy=False,
        help="Title and kind of the fields (JSON): date and money are typed, all else is text.",
        # {"member_id": ["Member ID", "identifier"], ...},
    )

    state = fields.Selection(
        [("open", "Open"), ("done", "Done"), ("cancelled", "Cancelled")],
        default="open",
        required=True,
        index=True,
    )
    user_id = fields.Many2one(
        "res.users", "Assigned to", index=True, domain=[("share", "=", False)], copy=False
    )
    assigned_at = fields.Datetime("Assigned", readonly=True, copy=False)
    completed_at = fields.Datetime("Completed", readonly=True, copy=False)
    active = fields.Boolean(default=True)
    note = fields.Text("Notes")

    field_ids = fields.One2many("idp.document.field", "document_id", "Fields")
    finding_ids = fields.One2many("idp.document.finding", "document_id", "Findings and gaps")
    missing_count = fields.Integer("Missing", readonly=True)
    corrected_count = fields.Integer("Corrected fields", readonly=True)
    lowest_confidence = fields.Float(digits=(5, 4), readonly=True, aggregator="min")
    attachment_ids = fields.One2many(
        "ir.attachment", "res_id", "Files", domain=[("res_model", "=", "idp.document")]
    )

    # Constraint objects came after 18.0; before, a list of tuples meant the same.
    if hasattr(models, "Constraint"):
        _idp_key_unique = models.Constraint("UNIQUE(idp_key)", "This document is already here.")
    else:
        _sql_constraints = [
            ("idp_key_unique", "UNIQUE(idp_key)", "This document is already here."),
        ]

    @api.model_create_multi
    def create(self, vals_list):
        """Make documents with their lines, in silence."""
        documents = super(IdpDocument, self.with_context(**QUIET)).create(
            [self._with_times(vals) for vals in vals_list]
        )
        for document, vals in zip(documents, vals_list, strict=True):
            if vals.get("payload"):
                document._make_lines()
        return documents.with_env(self.env)

    def write(self, vals):
        """Change documents; another payload makes the lines anew, the same one changes nothing."""
        self._check_who_writes(vals)
        payload, labels = vals.get("payload"), vals.get("labels")
        renewed = self.browse()
        if "payload" in vals or "labels" in vals:
            renewed = self.filtered(
                lambda each: (
                    ("payload" in vals and (each.payload or "") != (payload or ""))
                    or ("labels" in vals and (each.labels or "") != (labels or ""))
                )
            )
        for document in self:
            super(IdpDocument, document.with_context(**QUIET)).write(
                document._with_times(vals, before=document)
            )
        for document in renewed:
            document._make_lines()
        return True

    def action_open_filed(self):
        """The file's own record."""
        self.ensure_one()
        return self._window(self.filed_model, self.filed_res_id)

    def action_open_work(self):
        """The work item."""
        self.ensure_one()
        return self._window(self.work_model, self.work_res_id)

    def action_take(self):
        """I do this."""
        return self.write({"user_id": self.env.uid})

    def action_done(self):
        """It is dealt with."""
        return self.write({"state": "done"})

    def action_cancel(self):
        """Nothing is to be done."""
        return self.write({"state": "cancelled"})

    def action_reopen(self):
        """It was not done after all."""
        return self.write({"state": "open"})

    def _check_who_writes(self, vals):
        """People work on a document; what it says, only idp changes."""
        user = self.env.user
        if self.env.su or user.has_group(BOT) or user.has_group(MANAGER):
            return
        theirs = sorted(
            name
            for name in set(vals) - WORK
            if name in self._fields and not name.startswith(("activity_", "message_"))
        )
        if theirs:
            raise AccessError(
                _("Only idp changes what a document says: %(names)s", names=", ".join(theirs))
            )

    @api.model
    def _with_times(self, vals, before=None):
        """When it was assigned and completed: what queue ageing is computed from."""
        now, told = fields.Datetime.now(), dict(vals)
        if "user_id" in vals:
            known = before.user_id.id if before is not None else False
            if (vals["user_id"] or False) != known:
                told["assigned_at"] = now if vals["user_id"] else False
        if "state" in vals and (before is None or vals["state"] != before.state):
            told["completed_at"] = now if vals["state"] in ("done", "cancelled") else False
        return told

    def _window(self, model, res_id):
        if not model or not res_id or model not in self.env:
            return False
        return {
            "type": "ir.actions.act_window",
            "res_model": model,
            "res_id": res_id,
            "views": [[False, "form"]],
        }

    def _make_lines(self):
        """Replace the lines by what the payload says.

        As superuser: those who deliver need no right on lines, and nobody else has one to write.
        """
        self.ensure_one()
        own = self.sudo()
        record, labels = own._parsed("payload"), own._parsed("labels")
        found, said = record.get("fields") or [], record.get("findings") or []
        missing = record.get("missing") or []
        if len(found) + len(said) + len(missing) > MOST_LINES:
            raise ValidationError(_("More than %(limit)d lines.", limit=MOST_LINES))
        own.field_ids.unlink()
        own.finding_ids.unlink()
        own.env["idp.document.field"].create(
            [own._field_line(number, each, labels) for number, each in enumerate(found)]
        )
        own.env["idp.document.finding"].create(
            [
                *(own._missing_line(number, name, labels) for number, name in enumerate(missing)),
                *(
                    own._finding_line(number, each, labels)
                    for number, each in enumerate(said, start=len(missing))
                ),
            ]
        )
        super(IdpDocument, own.with_context(**QUIET)).write(
            {
                "missing_count": len(missing),
                "corrected_count": sum(each.get("source") == "review" for each in found),
                "lowest_confidence": min((each["confidence"] for each in found), default=0.0),
            }
        )

    def _parsed(self, column):
        """A column's JSON object; what is none is refused, so that no half document stays."""
        try:
            value = json.loads(self[column] or "{}")
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ValidationError(_("%(column)s is no JSON object.", column=column))
        return value

    def _label(self, name, labels):
        title, kind = labels.get(name) or (name.replace("_", " ").capitalize(), "text")
        return title, kind

    def _field_line(self, number, each, labels):
        label, kind = self._label(each["name"], labels)
        value, box = each.get("value"), each.get("box")
        line = {
            "document_id": self.id,
            "sequence": number,
            "name": each["name"],
            "label": label,
            "value": value,
            "raw": each.get("raw"),
            "value_type": "char",
            "confidence": each.get("confidence") or 0.0,
            "page": each.get("page") or 0,
            "box": " ".join(f"{side:g}" for side in box) if box else False,
            "source": each.get("source"),
            "corrected": each.get("source") == "review",
            "mended": each.get("mended") or False,
        }
        return {**line, **self._typed(value, kind)}

    def _typed(self, value, kind):
        """The value as a date or an amount; text where it is none, whatever the schema says."""
        try:
            if kind == "date" and value:
                return {"value_type": "date", "value_date": fields.Date.to_date(value)}
            if kind == "money" and value:
                currency = self.company_id.currency_id
                amount = float_repr(float(value), currency.decimal_places)
                return {
                    "value_type": "amount",
                    "value_amount": float(amount),
                    "currency_id": currency.id,
                }
        except (ValueError, OverflowError):
            pass
        return {}

    def _missing_line(self, number, name, labels):
        label, _kind = self._label(name, labels)
        return {
            "document_id": self.id,
            "sequence": number,
            "kind": "missing",
            "field_name": name,
            "label": label,
            "message": _("%(label)s is missing", label=label),
        }

    def _finding_line(self, number, each, labels):
        name = each.get("field")
        return {
            "document_id": self.id,
            "sequence": number,
            "kind": "finding",
            "rule": each.get("rule"),
            "severity": each.get("severity"),
            "field_name": name or False,
            "label": self._label(name, labels)[0] if name else False,
            "message": each.get("message"),
            "remedy": each.get("remedy") or False,
            "page": each.get("page") or 0,
        }
