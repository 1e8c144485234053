# SPDX-License-Identifier: Apache-2.0
"""Registered blank forms: what a fillable PDF asks for and where, and whether a page is a copy.

Doors: :class:`FormLibrary` (what is registered, and recognising it), :func:`blank_form` (from a
PDF's widgets and print to a form), :func:`read_widgets` (for a child process), :func:`learn` (from
corrected copies to a form).
"""

from idp.forms.blank import blank_form
from idp.forms.learnt import Copy, KnownValue, learn
from idp.forms.library import FormLibrary, fields_yaml, sha256_of, slug
from idp.forms.nouns import SLACK, BlankForm, BlankPage, Place, PrintedWord, Widget
from idp.forms.widgets import read_widgets

__all__ = [
    "SLACK",
    "BlankForm",
    "BlankPage",
    "Copy",
    "FormLibrary",
    "KnownValue",
    "Place",
    "PrintedWord",
    "Widget",
    "blank_form",
    "fields_yaml",
    "learn",
    "read_widgets",
    "sha256_of",
    "slug",
]
