# SPDX-License-Identifier: Apache-2.0
"""Where documents go on a server: found out as the bot itself, which may read no list of models.

A model is there if ``fields_get`` answers; what the bot may do there, the server's own check of
rights says. Documents (Enterprise) has two shapes: up to 17 its folders are of the model
``documents.folder``, from 18 on a folder is a document of the type ``folder``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, cast

from idp.deliver.odoo.parcel import Place
from idp.deliver.odoo.port import Odoo
from idp.errors import OdooError, OdooRefusedError, OdooRightsError

Wanted = Literal["auto", "documents", "dms", "attachment"]
Operation = Literal["read", "create", "write"]
FolderShape = Literal["documents.folder", "documents.document", "dms.directory", "none"]
Fields = Mapping[str, Mapping[str, Any]]

ATTACHMENT = "ir.attachment"
DOCUMENT = "documents.document"
FOLDER = "documents.folder"
DMS_FILE = "dms.file"
ADDON = "idp.document"

_OF_PLACES = (DOCUMENT, "documents.tag", DMS_FILE, ADDON)
_KINDS: tuple[Literal["documents", "dms", "attachment"], ...] = ("documents", "dms", "attachment")
_MODULES = {"documents": "documents (Odoo Enterprise)", "dms": "dms (OCA)", "attachment": "base"}
_WRITES: tuple[Operation, ...] = ("read", "create", "write")
_READS: tuple[Operation, ...] = ("read",)
_HAS_ACCESS = (18, 0)
"""The first version with ``has_access``; ``check_access_rights`` goes with 20."""
_WITHOUT_CHECK = (20, 0)


def place_of(odoo: Odoo, wanted: Wanted = "auto") -> Place:
    """The place that is wanted, or with ``auto`` the first that is there and the bot may write.

    Raises:
        OdooError: The module of the wanted place is not there, or of a shape that is not known.
        OdooRightsError: It is there and the bot lacks a right, which the message names.
        OdooUnreachableError, OdooUncertainError: See :class:`~idp.deliver.odoo.port.Odoo`.
    """
    # Every server has attachments: what goes wrong here is no missing module.
    attachments = fields_of(odoo, ATTACHMENT)
    if attachments is None:
        raise OdooError(f"{ATTACHMENT} is not there", hint="deliver.odoo.url is not Odoo's?")
    if wanted != "auto":
        place = _place(odoo, wanted, attachments)
        if place is None:
            raise OdooError(
                f"deliver.odoo.place = {wanted}: the server has no module {_MODULES[wanted]}",
                hint="Install the module, or let deliver.odoo.place be auto.",
            )
        return place
    lacking: OdooRightsError | None = None
    for kind in _KINDS:
        try:
            place = _place(odoo, kind, attachments)
        except OdooRightsError as error:
            lacking = lacking or error
        else:
            if place is not None:
                return place
    assert lacking is not None
    raise lacking


def fields_of(odoo: Odoo, model: str, names: Collection[str] = ()) -> Fields | None:
    """A model's fields with type, relation and selection, or ``None`` where there is no such model.

    Raises:
        OdooRightsError: The bot may not even know its fields.
    """
    attributes = ["type", "relation", "selection", "required", "readonly"]
    try:
        if names:
            found = odoo.call(model, "fields_get", allfields=sorted(names), attributes=attributes)
        else:
            found = odoo.call(model, "fields_get", attributes=attributes)
    except OdooRefusedError:
        return None
    return cast(Fields, found)


def may(odoo: Odoo, model: str, operation: Operation) -> bool:
    """Whether the bot may do this with records of the model, as far as the model goes."""
    if odoo.version >= _HAS_ACCESS:
        return bool(odoo.call(model, "has_access", [], operation=operation))
    return bool(odoo.call(model, "check_access_rights", operation=operation, raise_exception=False))


def need(odoo: Odoo, model: str, operations: Collection[Operation]) -> None:
    """See that the bot may do these; raises :class:`OdooRightsError`, which names the first."""
    for operation in operations:
        if not may(odoo, model, operation):
            raise lacking(odoo, model, operation)


def lacking(odoo: Odoo, model: str, operation: Operation) -> OdooRightsError:
    """The error that names a missing right, with the groups that give it where the server tells."""
    if odoo.version < _WITHOUT_CHECK:
        try:
            odoo.call(model, "check_access_rights", operation=operation)
        except OdooRightsError as error:
            return error
        except OdooRefusedError:
            pass
    return lacks(model, operation)


def lacks(model: str, operation: str) -> OdooRightsError:
    """The error that names a missing right."""
    return OdooRightsError(f"the bot user lacks the right to {operation} {model}")


def _place(
    odoo: Odoo, kind: Literal["documents", "dms", "attachment"], attachments: Fields
) -> Place | None:
    """The place if it is there; raises :class:`OdooRightsError` where the bot may not use it."""
    binary: Literal["datas", "raw"] = "datas" if "datas" in attachments else "raw"
    shape: FolderShape = "none"
    if kind == "documents":
        documents = fields_of(odoo, DOCUMENT)
        if documents is None:
            return None
        shape = _folder_shape(documents)
        binary = "datas" if "datas" in documents else "raw"
        need(odoo, DOCUMENT, _WRITES)
        need(odoo, shape, _READS)
    elif kind == "dms":
        if fields_of(odoo, DMS_FILE, ("name",)) is None:
            return None
        shape = "dms.directory"
        need(odoo, DMS_FILE, _WRITES)
        need(odoo, shape, _READS)
    need(odoo, ATTACHMENT, _WRITES)
    addon = fields_of(odoo, ADDON, ("name",)) is not None
    if addon:
        need(odoo, ADDON, _WRITES)
    return Place(kind=kind, folder_shape=shape, binary=binary, addon=addon)


def _folder_shape(documents: Fields) -> Literal["documents.folder", "documents.document"]:
    relation = documents.get("folder_id", {}).get("relation")
    if relation not in {FOLDER, DOCUMENT}:
        raise OdooError(
            f"{DOCUMENT}.folder_id is of no shape that is known",
            hint="Set deliver.odoo.place = attachment, and tell the maintainers the version.",
        )
    return cast(Literal["documents.folder", "documents.document"], relation)
