# SPDX-License-Identifier: Apache-2.0
"""Whose a general label is, names that go on, and days that are no parties."""

from __future__ import annotations

from idp.document import DocumentType
from idp.extract.prose import ProseSource
from idp.schemas import load_lexicon
from tests.unit.pages import page
from tests.unit.structured import SCHEMAS, STRUCTURE, read


def test_an_office_number_is_that_of_the_provider_its_section_names() -> None:
    found = read(
        """
REQUESTING PROVIDER
Name: Ilse Vantongeren, MD
Office Fax: 317-555-0145

SERVICING PROVIDER
Name: Cobblestone Imaging LLC
Office Fax: 317-555-0171
"""
    )
    assert found["requesting_provider_fax"] == "317-555-0145"
    assert found["servicing_provider_fax"] == "317-555-0171"


def test_a_remark_does_not_hide_that_a_facility_is_the_requesting_one() -> None:
    found = read(
        """
REQUESTING PROVIDER OR FACILITY
Provider Name: Ilse Vantongeren, MD
Facility Name (print): Harbor Pediatrics
Telephone: 317-555-0144
"""
    )
    assert "servicing_provider_name" not in found
    assert found["requesting_provider_phone"] == "317-555-0144"


def test_from_above_through_is_a_day_and_no_section() -> None:
    sheet = page(
        """
SERVICES REQUESTED
Procedure Code: 43775
From:
Through: 06/29/2025
"""
    )
    structure, readings = STRUCTURE.read([sheet], SCHEMAS[DocumentType.PRIOR_AUTH_REQUEST])
    assert [section.title for section in structure.sections] == ["SERVICES REQUESTED"]
    blanks = STRUCTURE.blanks(readings, SCHEMAS[DocumentType.PRIOR_AUTH_REQUEST])
    assert [blank.field for blank in blanks] == ["service_start_date"]


def test_a_name_goes_on_behind_an_ampersand() -> None:
    found = read("Payee: Providence Heart & Vascular Institute", DocumentType.REMITTANCE_EOB)
    assert found["payee_name"] == "Providence Heart & Vascular Institute"


def test_a_name_goes_on_below_where_its_column_was_too_narrow() -> None:
    found = read(
        """
SERVICING PROVIDER
Facility Name             NPI
Harbor Family Medicine    1639254801
Associates
Phone: 317-555-0170
"""
    )
    assert found["servicing_provider_name"] == "Harbor Family Medicine Associates"


def test_what_would_have_fitted_beside_a_name_is_not_part_of_it() -> None:
    found = read(
        """
SERVICING PROVIDER
Facility Name                                    NPI
Harbor Family Medicine                           1639254801
Outpatient
Phone: 317-555-0170
"""
    )
    assert found["servicing_provider_name"] == "Harbor Family Medicine"


def test_the_day_in_a_line_of_services_is_not_the_day_of_the_paper() -> None:
    schema = SCHEMAS[DocumentType.REMITTANCE_EOB]
    sheet = page("DOS         CPT      Charges    Paid\n10/28/2024  27447    $433.81    $227.87")
    _, readings = STRUCTURE.read([sheet], schema)
    found = ProseSource(load_lexicon()).from_readings(readings, schema)
    assert not [c for c in found if c.field == "issue_date"]
