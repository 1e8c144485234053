# SPDX-License-Identifier: Apache-2.0
"""Seeded faults: how many mistakes in paperwork the rules find, and how often they cry wolf.

    python -m training.faults [--rules N1,N3] [--documents 200] [--way fields|words|fine_fax]

Sound documents are made whose every value is known and right; one fault of one rule is seeded into
each, in one of the ways in which people and machines make it; the judge that the appliance uses
says what it finds. All people, payers, numbers and amounts are invented.
"""
