# SPDX-License-Identifier: Apache-2.0
"""From a drop folder to pages: take files that are whole, and unpack them into rasters."""

from idp.ingest.inbox import Inbox, InboxHealth
from idp.ingest.inbox_channel import ChannelHealth
from idp.ingest.inbox_files import Stamp
from idp.ingest.intake import Claim, Intake, KeptFile, Remembered, Seen
from idp.ingest.mailbox import Mailboxes
from idp.ingest.scanner import Scanner
from idp.ingest.sidecar import Told, envelope_from_name, read_sidecar
from idp.ingest.unpacked import Part, Refusal, Unpacked, unpack, unpacking

__all__ = [
    "ChannelHealth",
    "Claim",
    "Inbox",
    "InboxHealth",
    "Intake",
    "KeptFile",
    "Mailboxes",
    "Part",
    "Refusal",
    "Remembered",
    "Scanner",
    "Seen",
    "Stamp",
    "Told",
    "Unpacked",
    "envelope_from_name",
    "read_sidecar",
    "unpack",
    "unpacking",
]
