# SPDX-License-Identifier: Apache-2.0
"""One module per step, in order of their number."""
