# SPDX-License-Identifier: Apache-2.0
"""What payers and programmes ask for beyond the schema: ``rules/payers/*.yaml``, laid over by own.

A requirement says who asks (a payer by its names, a form by its print), for which documents and
services, for what (fields, attachments, a signature, an own form), from when to when, and where
that is written. Findings carry rule C3 and name the source; C4 compares what a form says is
enclosed with what came. Requirements are about paperwork: none says whether care is needed.
"""

from idp.requirements.check import Case, not_enclosed, unmet
from idp.requirements.enclosed import Companion
from idp.requirements.load import FOLDER, Entry, Requirements, load_requirements
from idp.requirements.match import same_payer

__all__ = [
    "FOLDER",
    "Case",
    "Companion",
    "Entry",
    "Requirements",
    "load_requirements",
    "not_enclosed",
    "same_payer",
    "unmet",
]
