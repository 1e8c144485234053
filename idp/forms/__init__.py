# SPDX-License-Identifier: Apache-2.0
"""Blank forms: what a fillable PDF asks for, and where."""
