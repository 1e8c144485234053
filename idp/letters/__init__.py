# SPDX-License-Identifier: Apache-2.0
"""A draft back to the sender: what is missing or not in order, in plain words.

:func:`compose` makes the text out of a document's findings and a template (``rules/letters``),
:func:`as_pdf` sets it for a fax. Nothing here sends anything, and nothing asks for a letter by
itself: a person does, reads it and sends it. It names the patient by initials and the date of
service unless the settings say otherwise, and never quotes a value (minimum necessary, 45 CFR
164.502(b)).
"""

from idp.letters.compose import Letter, compose, draft_for, has_items
from idp.letters.page import as_pdf
from idp.letters.templates import Templates

__all__ = ["Letter", "Templates", "as_pdf", "compose", "draft_for", "has_items"]
