# SPDX-License-Identifier: Apache-2.0
"""A stand-in: the models of Documents as 13 to 17 have them. No Enterprise code is in it."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class DocumentsFolder(models.Model):
    """A workspace."""

    _name = "documents.folder"
    _description = "Workspace (stand-in)"
    _parent_name = "parent_folder_id"

    name = fields.Char(required=True, translate=True)
    parent_folder_id = fields.Many2one("documents.folder", ondelete="cascade")
    company_id = fields.Many2one("res.company")
    group_ids = fields.Many2many("res.groups", "documents_folder_write_groups")
    read_group_ids = fields.Many2many("res.groups", "documents_folder_read_groups")
    facet_ids = fields.One2many("documents.facet", "folder_id")


class DocumentsFacet(models.Model):
    """A category of tags, of one workspace."""

    _name = "documents.facet"
    _description = "Category (stand-in)"

    name = fields.Char(required=True, translate=True)
    folder_id = fields.Many2one("documents.folder", ondelete="cascade")
    tag_ids = fields.One2many("documents.tag", "facet_id")


class DocumentsTag(models.Model):
    """A tag of a category."""

    _name = "documents.tag"
    _description = "Tag (stand-in)"

    name = fields.Char(required=True, translate=True)
    facet_id = fields.Many2one("documents.facet", required=True, ondelete="cascade")
    folder_id = fields.Many2one("documents.folder", related="facet_id.folder_id", store=True)

    _name_unique = models.Constraint("unique (facet_id, name)", "Tag already exists")


class DocumentsDocument(models.Model):
    """A file or a link in a workspace."""

    _name = "documents.document"
    _description = "Document (stand-in)"
    _inherit = ("mail.thread", "mail.activity.mixin")

    type = fields.Selection(
        [("url", "URL"), ("binary", "File"), ("empty", "Request")],
        default="empty",
        required=True,
    )
    folder_id = fields.Many2one("documents.folder", required=True, ondelete="restrict", index=True)
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
            if file and "type" not in vals:
                vals["type"] = "binary"
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
