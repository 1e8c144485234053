# SPDX-License-Identifier: Apache-2.0
"""Reading, measured: letters, values, marks, trust and cost, with a peer beside it."""
