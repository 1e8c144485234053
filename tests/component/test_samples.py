# SPDX-License-Identifier: Apache-2.0
import datetime as dt
import warnings
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PIL import Image

from idp.document import DocumentType
from idp.samples import make_samples, samples
from idp.samples.people import Registry, check_digit
from idp.schemas import load_schemas

pytestmark = pytest.mark.component

DAY = dt.date(2026, 11, 16)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    make_samples(folder, 7, DAY)
    return folder


def test_the_same_seed_and_day_give_the_same_bytes(made: Path, tmp_path: Path) -> None:
    for path in make_samples(tmp_path, 7, DAY):
        assert path.read_bytes() == (made / path.name).read_bytes(), path.name


def test_another_seed_gives_other_people(made: Path, tmp_path: Path) -> None:
    other = samples(tmp_path, 8, DAY, names={"01-referral.tif"})[0]
    assert other.path.read_bytes() != (made / other.path.name).read_bytes()


def test_nothing_half_written_is_ever_seen_under_a_sample_name(made: Path) -> None:
    assert not [p for p in made.iterdir() if p.name.startswith(".")]
    assert len(list(made.iterdir())) == 12


def test_faxes_are_one_bit_with_fax_resolutions(made: Path) -> None:
    seen = set()
    for path in sorted(made.glob("*.tif")):
        if path.name == "12-cut-off.tif":
            continue
        with Image.open(path) as image:
            assert image.mode == "1"
            assert image.width == 1728
            seen.add((image.info["compression"], *map(round, image.info["dpi"])))
    assert seen == {("group3", 204, 196), ("group4", 204, 196), ("group3", 204, 98)}


def test_pages_are_as_many_as_drawn(made: Path) -> None:
    with Image.open(made / "03-prior-auth-request.tif") as image:
        assert image.n_frames == 2
    with Image.open(made / "09-cover-and-referral.tif") as image:
        assert image.n_frames == 2


def test_the_upside_down_sample_is_dark_at_its_foot(made: Path) -> None:
    with Image.open(made / "04-medication-request-upside-down.tif") as opened:
        page = opened.convert("L")
    third = page.height // 3
    ink = [
        sum(1 for dot in page.crop((0, top, page.width, top + third)).tobytes() if dot == 0)
        for top in (0, page.height - third)
    ]
    assert ink[0] < ink[1]


def test_the_locked_and_the_cut_off_sample_can_not_be_read(made: Path) -> None:
    with pytest.raises(pdfium.PdfiumError):
        pdfium.PdfDocument(made / "11-locked.pdf")
    with pytest.raises(OSError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(made / "12-cut-off.tif") as image:
            image.load()


def test_what_is_said_to_be_written_is_written(tmp_path: Path) -> None:
    names = {"05-approval-letter.pdf", "07-remittance.pdf", "02-referral-printed.pdf"}
    for sample in samples(tmp_path, 7, DAY, names=names):
        document = pdfium.PdfDocument(sample.path)
        try:
            text = document[0].get_textpage().get_text_bounded()
        finally:
            document.close()
        for name in ("patient_name", "member_id", "payer_name", "payment_amount", "auth_number"):
            for value in sample.truth.get(name, ()):
                assert value in text, (sample.path.name, name)


def test_truth_uses_field_names_of_the_schemas(tmp_path: Path) -> None:
    schemas = load_schemas()
    for sample in samples(tmp_path, 7, DAY):
        if sample.type == DocumentType.OTHER:
            continue
        known = {field.name for field in schemas[sample.type].fields}
        assert set(sample.truth) <= known, sample.path.name


def test_made_up_npis_have_a_correct_check_digit_and_phones_nobody_has() -> None:
    assert check_digit("123456789") == "3"  # 1234567893 is the example in the NPI standard
    people = Registry(3)
    for _ in range(50):
        npi = people.npi()
        assert len(npi) == 10
        assert npi[0] == "1"
        assert check_digit(npi[:9]) == npi[9]
        assert "555-01" in people.phone()


def test_the_remittance_balances(tmp_path: Path) -> None:
    sample = samples(tmp_path, 7, DAY, names={"07-remittance.pdf"})[0]
    assert sample.truth["payment_amount"] == sample.truth["total_paid"]
