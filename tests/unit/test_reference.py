# SPDX-License-Identifier: Apache-2.0
"""Imports of code lists: files as their publishers write them, and as they should not be."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import zipfile
from pathlib import Path

import pytest

from idp.errors import ImportedDataError, NotFoundError, RulesError
from idp.reference import Asked, Reference, import_file, load_layouts, remove
from idp.reference.reading import opened as source_opened
from idp.reference.reading import rows
from idp.settings import SHIPPED_RULES
from tests.reference_files import (
    BY,
    CARC,
    CORE,
    RARC,
    crowd,
    deactivated,
    hcpcs_line,
    icd10_line,
    imported,
    npi,
    opened,
    organisation,
    person,
    write_nppes,
    zipped,
)

LAYOUTS = load_layouts()
DAY = dt.date(2026, 3, 12)


def take(folder: Path, path: Path, kind: str, asked: Asked = BY) -> Reference:
    import_file(folder / "reference", path, LAYOUTS[kind], asked)
    return opened(folder)


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


# --- each kind in the format of its publisher


def test_the_register_of_providers_keeps_who_where_and_what(tmp_path: Path) -> None:
    path = write_nppes(
        tmp_path / "npidata_pfile_20050523-20260308.csv",
        [
            person(1, "EXAMPLE", "ADA", ("207Q00000X", "207RC0000X"),
                   **{"Provider Other Last Name": "BEFORE", "Provider Other First Name": "ADA"}),
            organisation(2, "SAMPLE HOSPITAL INC", "SAMPLE MEDICAL CENTER"),
            deactivated(3, "03/01/2019"),
            deactivated(4, "03/01/2019", "06/15/2020"),
        ],
    )  # fmt: skip
    reference = take(tmp_path, path, "nppes")
    found = reference.provider(npi(1))
    assert found is not None
    assert (found.entity, found.names) == (1, ("ADA EXAMPLE", "ADA BEFORE"))
    assert (found.city, found.state, found.zip) == ("AUSTIN", "TX", "787010001")
    assert found.phone == "5125550166"
    assert found.taxonomies == ("207RC0000X", "207Q00000X")
    assert found.edition == "2026-03-08"
    house = reference.provider(npi(2))
    assert house is not None and house.names == ("SAMPLE HOSPITAL INC", "SAMPLE MEDICAL CENTER")
    gone, back = reference.provider(npi(3)), reference.provider(npi(4))
    assert gone is not None and back is not None
    assert [gone.active_on(dt.date(2019, 2, 28)), gone.active_on(DAY)] == [True, False]
    assert [back.active_on(dt.date(2019, 6, 1)), back.active_on(DAY)] == [False, True]
    assert reference.provider(npi(5)) is None
    assert reference.provider("not a number") is None


def test_a_weekly_file_renews_the_register_in_force(tmp_path: Path) -> None:
    whole = write_nppes(
        tmp_path / "npidata_pfile_20050523-20260308.csv",
        [person(n, "EXAMPLE", "ADA") for n in range(1, 50)],
    )
    weekly = write_nppes(
        tmp_path / "npidata_pfile_20260309-20260315.csv",
        [person(7, "RENAMED", "ADA"), person(900, "NEW", "BO"), deactivated(8, "03/10/2026")],
    )
    with pytest.raises(ImportedDataError, match="no whole nppes is in force"):
        take(tmp_path, weekly, "nppes")
    take(tmp_path, whole, "nppes")
    reference = take(tmp_path, zipped(tmp_path / "Weekly.zip", weekly), "nppes")
    names = [found.names for n in (6, 7, 900) if (found := reference.provider(npi(n)))]
    assert names == [("ADA EXAMPLE",), ("ADA RENAMED",), ("BO NEW",)]
    edition = reference.editions[0]
    assert (edition.rows, edition.edition, edition.updates[0].edition) == (
        50,
        "2026-03-08",
        "2026-03-15",
    )
    assert edition.version.startswith("2026-03-15 ")
    gone = reference.provider(npi(8))
    assert gone is not None and not gone.active_on(DAY)
    again = import_file(tmp_path / "reference", tmp_path / "Weekly.zip", LAYOUTS["nppes"], BY)
    assert not again.changed


def test_the_hcpcs_file_of_fixed_width_joins_descriptions_and_keeps_modifiers(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path,
        "HCPC2026_JAN_ANWEB.txt",
        hcpcs_line("J9999", "Made up drug, in a dose that", "made up")
        + hcpcs_line("J9999", "does not exist", record="4", sequence=200, added="")
        + hcpcs_line("E0999", "Made up device", ended="20241231")
        + hcpcs_line("RT", "Made up: right side", record="7"),
    )
    reference = take(tmp_path, path, "hcpcs")
    drug = reference.look("hcpcs", "j9999", DAY)
    assert drug is not None
    assert drug.description == "Made up drug, in a dose that does not exist"
    assert (drug.title, drug.start, drug.edition) == ("made up", dt.date(2010, 1, 1), "2026-JAN")
    device = reference.look("hcpcs", "E0999")
    assert device is not None
    assert (device.active_on(dt.date(2024, 12, 31)), device.active_on(DAY)) == (True, False)
    assert reference.look("hcpcs", "RT") is not None
    assert reference.editions[0].rows == 3


def test_the_same_as_a_spreadsheet_saved_as_csv_has_a_preface_and_says_the_same(
    tmp_path: Path,
) -> None:
    text = (
        "Copyright notice above the header,,,,,,,\r\n\r\n"
        "HCPC,SEQNUM,RECID,LONG DESCRIPTION,SHORT DESCRIPTION,ADD DT,ACT EFF DT,TERM DT\r\n"
        'J9999,100,3,"Made up drug, in a dose",made up,20100101,20100101,\r\n'
        "J9999,200,4,that does not exist,,,,\r\n"
        "RT,100,7,Right side,,20100101,20100101,20251231\r\n"
    )
    reference = take(tmp_path, write(tmp_path, "HCPC2026_APR_ANWEB.csv", text), "hcpcs")
    drug = reference.look("hcpcs", "J9999")
    assert drug is not None
    assert drug.description == "Made up drug, in a dose that does not exist"
    right = reference.look("hcpcs", "RT")
    assert right is not None and not right.active_on(DAY)


def test_diagnoses_are_judged_by_the_edition_of_the_day_of_service(tmp_path: Path) -> None:
    old = write(
        tmp_path,
        "icd10cm_order_2025.txt",
        icd10_line(1, "Z00", "Made up category", billable=False)
        + icd10_line(2, "Z001", "Made up old code", billable=True),
    )
    new = write(
        tmp_path,
        "icd10cm_order_2026.txt",
        icd10_line(1, "Z001", "Made up, now a category", billable=False)
        + icd10_line(2, "Z0011", "Made up finer code", billable=True),
    )
    april = write(
        tmp_path,
        "icd10cm-order-April-2026.txt",
        icd10_line(1, "Z0012", "Made up in spring", billable=True),
    )
    for path in (new, old, april):
        reference = take(tmp_path, path, "icd10cm")
    assert [each.edition for each in reference.editions] == ["2025", "2026", "2026-04"]
    last_year, this_year, spring = dt.date(2025, 9, 30), dt.date(2025, 10, 1), dt.date(2026, 4, 1)
    assert reference.diagnosis("Z00.1", last_year) == (True, True, "2025")
    assert reference.diagnosis("Z00.1", this_year) == (True, False, "2026")
    assert reference.diagnosis("z0011", this_year) == (True, True, "2026")
    assert reference.diagnosis("Z00.11", last_year) == (False, False, "2025")
    assert reference.diagnosis("Z00.12", spring) == (True, True, "2026-04")
    shipped = reference.diagnosis("M25.561", dt.date(2030, 1, 1))
    assert shipped.known and shipped.billable and shipped.edition not in ("2025", "2026")
    remove(tmp_path / "reference", "icd10cm", "2025")
    assert [each.edition for each in reference.renewed().editions] == ["2026", "2026-04"]


def test_reasons_and_remarks_of_remittances_know_when_they_are_in_use(tmp_path: Path) -> None:
    reference = imported(tmp_path, {"carc": CARC, "rarc": RARC})
    old, late = reference.look("carc", "15", DAY), reference.look("carc", "p99", DAY)
    assert old is not None and late is not None
    assert not old.active_on(DAY) and old.active_on(dt.date(2007, 6, 30))
    assert not late.active_on(DAY)
    assert reference.versions[1:] == (
        ("reference.carc", reference.editions[0].version),
        ("reference.rarc", reference.editions[1].version),
    )


def test_the_core_table_carries_merged_cells_on(tmp_path: Path) -> None:
    reference = imported(tmp_path, {"core_combinations": CORE})
    first, second = reference.combinations("16")
    assert first.scenario == second.scenario == "1 - Additional information required"
    assert (first.rarc, first.groups) == ("M76", {"CO", "PI"})
    assert (second.rarc, second.groups) == ("N130", {"CO"})
    (free,) = reference.combinations("197")
    assert (free.rarc, free.groups) == ("", {"CO", "PR"})


def test_the_fdas_packages_are_kept_in_eleven_digits(tmp_path: Path) -> None:
    head = "PRODUCTID\tPRODUCTNDC\tNDCPACKAGECODE\tPACKAGEDESCRIPTION\tSTARTMARKETINGDATE\t"
    head += "ENDMARKETINGDATE\tNDC_EXCLUDE_FLAG\tSAMPLE_PACKAGE\r\n"
    text = head + '1_a\t0999-9146\t0999-9146-56\t30 "made up" TABLETS\t20200101\t\tN\tN\r\n'
    text += "2_b\t59999-123\t59999-123-01\t1 VIAL\t20200101\t20251231\tN\tN\r\n"
    path = write(tmp_path, "package.txt", text, "latin-1")
    reference = take(tmp_path, zipped(tmp_path / "ndctext.zip", path), "ndc")
    assert reference.look("ndc", "00999914656") is not None
    vial = reference.look("ndc", "59999012301")
    assert vial is not None and vial.stop == dt.date(2025, 12, 31)


def test_taxonomies_revenue_codes_cpt_and_payers_are_plain_lists(tmp_path: Path) -> None:
    reference = imported(
        tmp_path,
        {
            "taxonomy": "Code,Grouping,Classification,Specialization,Definition,Notes,Display Name,"
            "Section\n207RC0000X,G,C,S,D,N,Made Up Physician,Individual\n",
            "revenue": "Revenue Code;Description\n450;Made up room\n0120;Made up ward\n",
            "cpt": "CPT Code\n99999\n0001F\n",
            "payers": "Payer ID,Payer Name\n12345,Example Plan\n12345,Example Health Plan\n",
            "modifiers": "Modifier,Description\n1,x\nZZ,y\n",
        },
    )
    named = reference.look("taxonomy", "207RC0000X")
    assert named is not None and named.title == "Made Up Physician"
    assert reference.look("revenue", "0450") is not None
    assert reference.look("cpt", "0001F") is not None
    assert [each.title for each in reference.look_all("payers", "12345")] == [
        "Example Plan",
        "Example Health Plan",
    ]
    assert reference.look("modifiers", "01") is not None


def test_places_of_service_come_with_the_program_until_a_list_is_imported(tmp_path: Path) -> None:
    shipped = opened(tmp_path)
    office = shipped.look("pos", "11")
    assert office is not None and office.title == "Office" and office.edition == "shipped"
    assert shipped.look("pos", "29") is None
    own = imported(tmp_path, {"pos": "Code,Name\n1,Made up\n"})
    assert (own.look("pos", "11"), bool(own.look("pos", "01"))) == (None, True)


def test_what_is_not_imported_is_not_known_and_the_silent_rules_are_named(tmp_path: Path) -> None:
    nothing = opened(tmp_path)
    assert nothing.look("carc", "45") is None
    assert nothing.provider(npi(1)) is None
    assert nothing.combinations("16") == ()
    assert set(nothing.silent_rules()) == {"N2", "N6", "N7", "R7"}
    assert "carc" not in imported(tmp_path, {"carc": CARC}).silent_rules()["R7"]
    assert Reference().silent_rules() == {}


# --- files as they should not be


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("carc", "Code,Description,Start\n45,x,\n", "no column for stop of carc"),
        ("rarc", "Whatever,Else\n1,2\n", "no column for code of rarc"),
        ("nppes", "NPI,Entity Type Code\n1,1\n", "no column for organization of nppes"),
        ("hcpcs", "", "holds no rows"),
        ("carc", "Code,Description,Stop\n", "holds no rows of carc"),
        ("icd10cm", "not,a,list\n" * 3, "are none of icd10cm|holds no rows"),
    ],
)
def test_another_file_is_refused_and_the_column_named(
    tmp_path: Path, kind: str, text: str, message: str
) -> None:
    path = write(tmp_path, "icd10cm_order_2026.txt", text)
    with pytest.raises(ImportedDataError, match=message) as raised:
        take(tmp_path, path, kind)
    assert "whatever" not in raised.value.message.lower()
    assert opened(tmp_path).editions == ()
    assert not [p for p in (tmp_path / "reference").iterdir() if p.name != ".lock"]


def test_what_was_in_force_stays_so_when_the_next_file_is_refused(tmp_path: Path) -> None:
    reference = imported(tmp_path, {"carc": CARC})
    with pytest.raises(ImportedDataError):
        take(tmp_path, write(tmp_path, "new.csv", "Code\n1\n"), "carc")
    assert reference.renewed() is reference
    assert reference.look("carc", "45") is not None


def test_rows_that_are_none_are_counted_by_line_and_too_many_refuse_the_file(
    tmp_path: Path,
) -> None:
    good = "".join(f"{n},x,01/01/2000,,\n" for n in range(100, 200))
    head = "Code,Description,Start Date,Modified,Stop\n"
    bad = "zzzz,x,,,\n45,x,,,31.12.2020\n46,x\n"
    path = write(tmp_path, "carc.csv", head + "44,x,,,\n" + bad + good)
    with pytest.raises(ImportedDataError, match=r"3 of 104 rows .*line 3, 4, 5"):
        take(tmp_path, path, "carc")
    lenient = LAYOUTS["carc"].model_copy(update={"most_refused": 0.1})
    edition = import_file(tmp_path / "reference", path, lenient, BY).edition
    assert (edition.rows, edition.refused, edition.refused_lines) == (101, 3, (3, 4, 5))


def test_a_list_that_shrinks_by_half_is_taken_only_on_demand(tmp_path: Path) -> None:
    head = "Code,Description,Stop\n"
    whole = write(tmp_path, "a.csv", head + "".join(f"{n},x,\n" for n in range(1, 101)))
    cut = write(tmp_path, "b.csv", head + "".join(f"{n},x,\n" for n in range(1, 40)))
    take(tmp_path, whole, "carc")
    with pytest.raises(ImportedDataError, match="39 entries, what is in force has 100"):
        take(tmp_path, cut, "carc")
    forced = take(tmp_path, cut, "carc", BY._replace(force=True))
    assert forced.editions[0].rows == 39


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_whatever_windows_writes_is_read(tmp_path: Path, encoding: str) -> None:
    text = "Payer ID\tPayer Name\r\n1\tCaf\u00e9 \u2013 Plan\r\n"
    reference = take(tmp_path, write(tmp_path, "p.txt", text, encoding), "payers")
    found = reference.look("payers", "1")
    assert found is not None and found.title == "Caf\u00e9 \u2013 Plan"


def test_a_quotation_mark_that_nobody_closes_costs_no_more_than_its_row(tmp_path: Path) -> None:
    rest = "".join(f"{n},x,\n" for n in range(100, 300))
    huge = '45,"' + "y" * 200_000 + ",\n"
    path = write(tmp_path, "c.csv", "Code,Description,Stop\n" + rest + huge + "46,x,\n")
    reference = take(tmp_path, path, "carc")
    assert reference.editions[0].refused <= 1
    assert reference.look("carc", "299") is not None


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = write(tmp_path, "c.csv", "Code,Description,Stop\n" + "9" * 3_000_000)
    with pytest.raises(ImportedDataError, match="line 2 is longer"):
        take(tmp_path, path, "carc")


def test_a_spreadsheet_a_damaged_archive_and_a_wrong_one_are_told_apart(tmp_path: Path) -> None:
    sheet = write(tmp_path, "workbook.xml", "<x/>")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.write(sheet, "xl/workbook.xml")
    with pytest.raises(ImportedDataError, match="is a spreadsheet"):
        take(tmp_path, tmp_path / "a.xlsx", "carc")
    wrong = zipped(tmp_path / "b.zip", write(tmp_path, "readme.md", "x"))
    with pytest.raises(ImportedDataError, match="no member of the archive"):
        take(tmp_path, wrong, "ndc")
    members = write_nppes(tmp_path / "npidata_pfile_20050523-20260308.csv", crowd(300))
    whole = zipped(tmp_path / "c.zip", members)
    broken = bytearray(whole.read_bytes())
    broken[len(broken) // 2] ^= 0xFF
    whole.write_bytes(bytes(broken))
    with pytest.raises(ImportedDataError, match=r"damaged|none of nppes|no column"):
        take(tmp_path, whole, "nppes")
    with pytest.raises(NotFoundError):
        take(tmp_path, tmp_path / "nowhere.csv", "carc")


def test_the_later_of_two_rows_of_one_provider_counts(tmp_path: Path) -> None:
    path = write_nppes(
        tmp_path / "npidata_pfile_20050523-20260308.csv",
        [person(1, "OLD", "ADA"), person(2, "SAMPLE", "BO"), person(1, "NEW", "ADA")],
    )
    reference = take(tmp_path, path, "nppes")
    found = reference.provider(npi(1))
    assert found is not None and found.names == ("ADA NEW",)
    assert reference.editions[0].rows == 2


def test_an_edition_without_dates_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, "codes.txt", icd10_line(1, "Z001", "x", billable=True))
    with pytest.raises(ImportedDataError, match="from when on it counts"):
        take(tmp_path, path, "icd10cm")
    reference = take(
        tmp_path,
        path,
        "icd10cm",
        BY._replace(edition="own", valid_from=dt.date(2020, 1, 1), valid_to=None),
    )
    assert reference.diagnosis("Z00.1", DAY).edition == "own"
    with pytest.raises(ImportedDataError, match="no name for an edition"):
        take(tmp_path, path, "icd10cm", BY._replace(edition="../x", valid_from=DAY))


# --- in force


def test_the_same_file_again_changes_nothing_and_another_is_seen_at_once(tmp_path: Path) -> None:
    reference = imported(tmp_path, {"carc": CARC})
    assert imported(tmp_path, {"carc": CARC}).editions == reference.editions
    assert reference.renewed() is reference
    later = imported(tmp_path, {"carc": CARC + "999,Made up: new.,,,\n"})
    seen = reference.renewed()
    assert seen is not reference and seen.versions == later.versions
    assert seen.look("carc", "999") is not None
    assert reference.look("carc", "999") is None, "a document at work goes on with the old list"


def test_a_damaged_file_counts_as_not_imported_and_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    imported(tmp_path, {"carc": CARC, "rarc": RARC})
    (tmp_path / "reference" / "carc.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    reference = opened(tmp_path)
    assert not reference.has("carc") and reference.has("rarc")
    assert reference.look("carc", "45") is None
    assert reference.problems() == ("carc.sqlite: damaged; import it again",)
    assert imported(tmp_path, {"carc": CARC}).problems() == ()


def test_a_file_damaged_in_its_middle_is_set_aside_when_it_is_looked_up_in(
    tmp_path: Path,
) -> None:
    rows_ = "".join(f"{n},{'x' * 200},\n" for n in range(1, 900))
    imported(tmp_path, {"carc": "Code,Description,Stop\n" + rows_})
    path = tmp_path / "reference" / "carc.sqlite"
    data = bytearray(path.read_bytes())
    data[8192:-4096] = b"\xff" * (len(data) - 4096 - 8192)
    path.write_bytes(bytes(data))
    reference = opened(tmp_path)
    assert [reference.is_whole(each) for each in reference.editions] in ([False], [])
    assert reference.look("carc", "500") is None
    assert not reference.has("carc") and reference.problems()


def test_removing_makes_a_rule_silent_again(tmp_path: Path) -> None:
    reference = imported(tmp_path, {"carc": CARC})
    assert remove(tmp_path / "reference", "carc") == ("carc.sqlite",)
    assert not reference.renewed().has("carc")
    with pytest.raises(NotFoundError):
        remove(tmp_path / "reference", "carc")


def test_the_import_says_by_whom_when_and_from_what(tmp_path: Path) -> None:
    edition = imported(tmp_path, {"carc": CARC}).editions[0]
    assert (edition.by, edition.file, edition.rows) == ("test", "carc.csv", 5)
    assert edition.imported_at == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    (event,) = edition.events()
    assert event["action"] == "reference_imported" and event["sha256"] == edition.sha256


# --- layouts


def test_every_shipped_layout_is_whole_and_says_where_its_file_comes_from() -> None:
    assert set(LAYOUTS) == {
        *("nppes", "hcpcs", "icd10cm", "carc", "rarc", "core_combinations", "taxonomy", "pos"),
        *("modifiers", "revenue", "ndc", "cpt", "payers"),
    }
    for layout in LAYOUTS.values():
        assert layout.source and layout.licence and layout.renewed
    licensed = {"carc", "rarc", "core_combinations", "cpt", "revenue", "modifiers", "taxonomy"}
    assert not any(LAYOUTS[kind].entries for kind in licensed)


def test_an_own_layout_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "rules"
    shutil.copytree(SHIPPED_RULES / "reference", own / "reference")
    text = (own / "reference" / "payers.yaml").read_text(encoding="utf-8")
    (own / "reference" / "payers.yaml").write_text(
        text.replace("[Payer ID,", "[Nummer, Payer ID,"), encoding="utf-8"
    )
    layout = load_layouts(own)["payers"]
    path = write(tmp_path, "p.csv", "Nummer,Name\n7,Plan\n")
    with source_opened(path, layout) as source:
        names, found = rows(source, layout)
        assert [row.values for row in found] == [("7", "Plan")] and names == ("code", "title")


@pytest.mark.parametrize(
    "text",
    [
        "kind: own",
        "{",
        "kind: own\ntitle: t\nversion: 1\ntable: codes\nsource: s\nlicence: l\nrenewed: r\n"
        "old_after_days: 9\ncolumns: {code: {headers: [a], unknown: 1}}\n",
        "kind: own\ntitle: t\nversion: 1\ntable: codes\nsource: s\nlicence: l\nrenewed: r\n"
        "old_after_days: 9\ncolumns: {title: {headers: [a]}}\n",
        "kind: other\ntitle: t\nversion: 1\ntable: codes\nsource: s\nlicence: l\nrenewed: r\n"
        "old_after_days: 9\ncolumns: {code: {headers: [a]}}\n",
        "kind: own\ntitle: t\nversion: 1\ntable: codes\nsource: s\nlicence: l\nrenewed: r\n"
        "old_after_days: 9\ncolumns: {code: {headers: [a], pattern: '('}}\n",
    ],
)
def test_a_layout_with_a_slip_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "own.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RulesError, match=r"own\.yaml"):
        load_layouts(tmp_path)


def test_a_file_of_an_import_is_never_written_to(tmp_path: Path) -> None:
    reference = imported(tmp_path, {"carc": CARC})
    path = tmp_path / "reference" / "carc.sqlite"
    before = path.read_bytes()
    reference.look("carc", "45")
    opened_for = reference._open["carc"][0].database
    with pytest.raises(sqlite3.OperationalError):
        opened_for.execute("DELETE FROM entries")
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*-journal")) and not list(path.parent.glob("*-wal"))
