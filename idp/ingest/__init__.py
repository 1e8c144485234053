# SPDX-License-Identifier: Apache-2.0
"""From a drop folder to pages: take files that are whole, and unpack them into rasters."""

from idp.ingest.inbox import Claim, Inbox, InboxHealth, Intake, KeptFile
from idp.ingest.scanner import Scanner
from idp.ingest.sidecar import read_sidecar
from idp.ingest.unpacked import Part, Refusal, Unpacked, unpack, unpacking

__all__ = [
    "Claim",
    "Inbox",
    "InboxHealth",
    "Intake",
    "KeptFile",
    "Part",
    "Refusal",
    "Scanner",
    "Unpacked",
    "read_sidecar",
    "unpack",
    "unpacking",
]
