# SPDX-License-Identifier: Apache-2.0
"""From a drop folder to pages: take files that are whole, and unpack them into rasters."""

from idp.ingest.inbox import Claim, Inbox, InboxHealth, Intake, KeptFile
from idp.ingest.unpacked import Unpacked, unpack

__all__ = ["Claim", "Inbox", "InboxHealth", "Intake", "KeptFile", "Unpacked", "unpack"]
