# SPDX-License-Identifier: Apache-2.0
"""Our own directories of members, providers and payers, and who of them a document means.

They are imported (``idp masters import``), read-only here, and hold patients' data: values never
get into a log, an error or a finding.
"""

from idp.masters.build import Imported, Refused
from idp.masters.columns import COLUMNS
from idp.masters.directories import Directories, DirectoryFacts
from idp.masters.importing import import_directory
from idp.masters.nouns import (
    KINDS,
    Entry,
    Kind,
    Member,
    MemberNumber,
    Payer,
    Printed,
    Provider,
)
from idp.masters.parties import (
    Found,
    PartyFound,
    Proposal,
    ask_member,
    find_parties,
    printed_parties,
    proposals,
)
from idp.masters.payers import fits, fits_misread
from idp.masters.people import Agreed, Compared, Verdict, is_short_form, match_member
from idp.masters.practices import ProviderVerdict, match_provider

__all__ = [
    "COLUMNS",
    "KINDS",
    "Agreed",
    "Compared",
    "Directories",
    "DirectoryFacts",
    "Entry",
    "Found",
    "Imported",
    "Kind",
    "Member",
    "MemberNumber",
    "PartyFound",
    "Payer",
    "Printed",
    "Proposal",
    "Provider",
    "ProviderVerdict",
    "Refused",
    "Verdict",
    "ask_member",
    "find_parties",
    "fits",
    "fits_misread",
    "import_directory",
    "is_short_form",
    "match_member",
    "match_provider",
    "printed_parties",
    "proposals",
]
