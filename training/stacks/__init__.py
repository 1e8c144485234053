# SPDX-License-Identifier: Apache-2.0
"""Stacks of several documents, as a fax server or a scanner delivers them, with the truth.

``make`` draws them, ``continued`` draws further pages of documents, ``measure`` holds what was cut
against what should have been, ``fit`` finds the weights of the first-page evidence.
"""
