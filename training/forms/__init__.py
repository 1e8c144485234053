# SPDX-License-Identifier: Apache-2.0
"""Real blank forms as teachers: filled by program, faxed, read by our reader, labelled exactly."""
