# SPDX-License-Identifier: Apache-2.0
"""The command line: ``idp VERB``. Results go to stdout and nothing else does.

Exit codes are part of the contract (``docs/errors.md``). Verbs import what they need when they are
called, so that ``idp status`` answers at once.
"""

from idp.cli.app import app, main

__all__ = ["app", "main"]
