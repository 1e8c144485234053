# SPDX-License-Identifier: Apache-2.0
"""Generated samples: what fax lines, mails and scanners bring, about people who do not exist.

``make run`` drops them into the inbox so that something is to be seen; tests hold the appliance
against what is written on them. The same seed and day give the same bytes.
"""

from idp.samples.arrivals import arrivals
from idp.samples.make import Sample, make_samples, samples
from idp.samples.separators import separator_sheets

__all__ = ["Sample", "arrivals", "make_samples", "samples", "separator_sheets"]
