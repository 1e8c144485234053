# SPDX-License-Identifier: Apache-2.0
"""A stand-in: the models of Documents as 18 and later have them. No Enterprise code is in it."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class DocumentsTag(models.Model):
    """A tag; since 18 without facets."""

    _name = "documents.tag"
    _description = "Tag (stand-in)"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer()

    _name_unique = models.Constraint("unique (name)", "Tag name already used")


class DocumentsDocument(models.Model):
    """A file, a link or a folder."""

    _name = "documents.document"
    _description = "Document (stand-in)"
    _inherit = ("mail.thread", "mail.activity.mixin")

    type = fields.Selection(
        [("binary", "File"), ("url", "URL"), ("folder", "Folder")],
        default="binary",
        required=True,
    )
    folder_id = fields.Many2one(
        "documents.document", domain=[("type", "=", "folder")], ondelete="set null", index=True
    )
    children_ids = fields.One2many("documents.document", "folder_id")
    shortcut_document_id = fields.Many2one("documents.document")
    access_internal = fields.Selection(
        [("view", "Viewer"), ("edit", "Editor"), ("none", "None")], default="none", required=True
    )
    access_via_link = fields.Selection(
        [("view", "Viewer"), ("edit", "Editor"), ("none", "None")], default="none", required=True
    )
    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    attachment_id = fields.Many2one("ir.attachment", ondelete="cascade", copy=False, index=True)
    datas = fields.Binary(
        related="attachment_id.datas", related_sudo=True, readonly=False, prefetch=False
    )
    raw = fields.Binary(
        related="attachment_id.raw", related_sudo=True, readonly=False, prefetch=False
    )
    mimetype = fields.Char(related="attachment_id.mimetype", related_sudo=True, readonly=False)
    checksum = fields.Char(related="attachment_id.checksum", related_sudo=True)
    file_size = fields.Integer(related="attachment_id.file_size", related_sudo=True)
    previous_attachment_ids = fields.Many2many("ir.attachment", copy=False)
    url = fields.Char()
    owner_id = fields.Many2one("res.users", default=lambda self: self.env.user)
    partner_id = fields.Many2one("res.partner")
    company_id = fields.Many2one("res.company")
    lock_uid = fields.Many2one("res.users", readonly=True)
    tag_ids = fields.Many2many("documents.tag")
    res_model = fields.Char()
    res_id = fields.Many2oneReference(model_field="res_model")

    _attachment_unique = models.Constraint(
        "unique (attachment_id)", "This attachment is already a document"
    )

    @api.constrains("res_model")
    def _check_res_model(self):
        if any(each.res_model == self._name for each in self):
            raise ValidationError("A document can't be linked to a document")

    @api.model_create_multi
    def create(self, vals_list):
        """The file becomes an attachment, of the linked record or of the document itself."""
        files = []
        for vals in vals_list:
            file = {key: vals.pop(key) for key in ("datas", "raw", "mimetype") if key in vals}
            files.append(file if file and not vals.get("attachment_id") else {})
        documents = super().create(vals_list)
        attachments = self.env["ir.attachment"].with_context(no_document=True)
        for document, file in zip(documents, files, strict=True):
            if file:
                document.attachment_id = attachments.create(
                    {
                        "name": document.name,
                        "res_model": document.res_model or self._name,
                        "res_id": document.res_id or document.id,
                        **file,
                    }
                )
        return documents

    def write(self, vals):
        """Another file: the one before is kept as a former version."""
        if vals.get("datas") or vals.get("raw"):
            for document in self.filtered("attachment_id"):
                before = document.sudo().attachment_id.copy(
                    {"res_model": self._name, "res_id": document.id}
                )
                document.previous_attachment_ids = [(4, before.id)]
        return super().write(vals)
