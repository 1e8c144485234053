# SPDX-License-Identifier: Apache-2.0
"""Mutated input for each border that parses foreign bytes."""
