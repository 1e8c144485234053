# SPDX-License-Identifier: Apache-2.0
"""idp: a document-intelligence appliance for healthcare administration."""

__version__ = "0.1.0"
