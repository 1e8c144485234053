# SPDX-License-Identifier: Apache-2.0
"""Teaches the text recogniser what fax machines do to print.

PP-OCRv6 was trained on clean and photographed text in 46 languages. The pages here are 1-bit,
speckled, stretched and written in Latin letters. ``python -m training.recognition`` goes on
training the published weights on generated lines (:mod:`training.recognition.strips`) and writes
an ONNX file of the same graph.
"""
