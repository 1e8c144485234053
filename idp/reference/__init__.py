# SPDX-License-Identifier: Apache-2.0
"""Code lists and registers that an administrator imports, and the look-ups of rules in them."""

from idp.reference.building import Asked, Imported, import_file, remove
from idp.reference.layouts import Layout, Layouts, load_layouts
from idp.reference.lookup import Reference
from idp.reference.nouns import Combination, Diagnosis, Edition, Entry, Provider, Update

__all__ = [
    "Asked",
    "Combination",
    "Diagnosis",
    "Edition",
    "Entry",
    "Imported",
    "Layout",
    "Layouts",
    "Provider",
    "Reference",
    "Update",
    "import_file",
    "load_layouts",
    "remove",
]
