# SPDX-License-Identifier: Apache-2.0
"""Pages to documents: type, kind of `other`, boundaries and how sure.

The evidence lies in the schemas as weighted phrases and signals; nothing here is trained, so a
payer's new form needs no model, only print that says what it is.
"""

from idp.classify.segments import Segment, split, split_as

__all__ = ["Segment", "split", "split_as"]
