# SPDX-License-Identifier: Apache-2.0
"""Draws the pages from which :mod:`idp.read.boxes` learns to see check marks, and trains it.

python -m training.marks            # idp/read/marks.onnx, about half an hour on a quiet core
"""
