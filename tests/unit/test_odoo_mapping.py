# SPDX-License-Identifier: Apache-2.0
"""The mapping to Odoo as data: what its files may say, and what is refused before any server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from idp.deliver.odoo.mapping import (
    CLOSED_NAMES,
    ITEM_NAMES,
    OPEN_NAMES,
    General,
    OdooMapping,
    TypeMapping,
    WorkRule,
    load_mapping,
)
from idp.deliver.odoo.wording import FILTERS, Wording, joined
from idp.document import DocumentType
from idp.errors import RulesError
from idp.schemas import load_schemas
from idp.settings import SHIPPED_RULES

SCHEMAS = load_schemas()
EXAMPLES = Path(__file__).parents[2] / "examples" / "schemas"


def loaded(tmp_path: Path, **files: dict[str, object]) -> OdooMapping:
    """The mapping with files of one's own over the shipped ones."""
    folder = tmp_path / "odoo"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_mapping(tmp_path, SCHEMAS)


def test_every_shipped_type_has_a_mapping_of_its_own() -> None:
    mapping = load_mapping(None, SCHEMAS)
    assert set(mapping.types) == set(SCHEMAS)
    assert mapping.digest == load_mapping(None, SCHEMAS).digest


def test_own_files_are_laid_over_the_shipped_ones_key_by_key(tmp_path: Path) -> None:
    shipped = load_mapping(None, SCHEMAS)
    mapping = loaded(tmp_path, referral={"folder": "Front desk/Referrals"})
    assert mapping.of("referral").folder == "Front desk/Referrals"
    assert mapping.of("referral").work == shipped.of("referral").work
    assert mapping.source("referral").endswith("odoo/referral.yaml")
    assert mapping.digest != shipped.digest


def test_a_type_without_a_mapping_gets_the_default() -> None:
    schemas = load_schemas(EXAMPLES)
    new = next(name for name in schemas if name not in SCHEMAS)
    mapping = load_mapping(None, schemas)
    assert mapping.of(new) == mapping.default
    assert mapping.default.folder
    assert not mapping.default.work


def test_an_own_type_may_have_a_mapping(tmp_path: Path) -> None:
    schemas = load_schemas(EXAMPLES)
    new = next(name for name in schemas if name not in SCHEMAS)
    (tmp_path / "odoo").mkdir()
    default = (SHIPPED_RULES / "odoo" / "_default.yaml").read_text(encoding="utf-8")
    (tmp_path / "odoo" / f"{new}.yaml").write_text(
        default.replace("Paperwork/Other", "Paperwork/Intake"), encoding="utf-8"
    )
    assert load_mapping(tmp_path, schemas).of(new).folder == "Paperwork/Intake"


@pytest.mark.parametrize("phi", ["{patient_name}", "{member_id|last_four}", "{diagnosis_codes}"])
@pytest.mark.parametrize("key", ["title", "work", "files", "activities", "values"])
def test_a_title_about_a_patient_is_refused_unless_it_is_wanted(
    tmp_path: Path, key: str, phi: str
) -> None:
    task = {"model": "project.task", "project": "Paperwork", "title": ["x"]}
    by_key: dict[str, dict[str, object]] = {
        "title": {"title": [phi]},
        "work": {"work": [{**task, "description": [phi]}]},
        "files": {"files": [{"what": "pages", "name": [phi]}]},
        "activities": {"activities": {"summary": [phi]}},
        "values": {"work": [{**task, "values": {"email_from": phi}}]},
    }
    own = by_key[key]
    with pytest.raises(RulesError, match="may be about a patient"):
        loaded(tmp_path, referral=own)
    allowed = loaded(tmp_path, referral=own, _general={"phi_in_titles": True})
    assert allowed.general.phi_in_titles


def test_a_column_under_access_rights_may_hold_what_a_title_may_not(tmp_path: Path) -> None:
    task = {"model": "project.task", "project": "Paperwork", "title": ["x"]}
    own: dict[str, object] = {"work": [{**task, "values": {"x_member_id": "{member_id}"}}]}
    assert loaded(tmp_path, referral=own).of("referral").work[0].values["x_member_id"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("referral", {"folder": "a//b"}, "folder"),
        ("referral", {"fodler": "a"}, "fodler"),
        ("referral", {"title": ["{no_such_field}"]}, "the type has no such field"),
        ("referral", {"title": ["{payer_name|shout}"]}, "no filter 'shout'"),
        ("referral", {"title": ["{payer_name"]}, "only a name may stand in braces"),
        ("referral", {"title": ["{payer_name.__class__}"]}, "the type has no such field"),
        ("referral", {"partner": [{"field": "payer"}]}, "has no field 'payer'"),
        ("referral", {"partner": [{}]}, "a `field` or in a `master`"),
        ("referral", {"files": [{"what": "record", "name": ["x"]}]}, "nothing to look at"),
        ("referral", {"work": [{"model": "project.task", "title": ["x"]}]}, "needs a `project`"),
        (
            "remittance_eob",
            {"work": [{"model": "account.payment", "title": ["x"]}]},
            "the code of its `journal`",
        ),
        (
            "remittance_eob",
            {
                "work": [
                    {
                        "model": "account.payment",
                        "journal": "BNK1",
                        "title": ["x"],
                        "values": {"state": "posted"},
                    }
                ]
            },
            "state is not set by a mapping",
        ),
        (
            "prior_auth_determination",
            {"belongs_to": [{"type": "referral", "by": "auth_number", "its": "patient"}]},
            "referral has no field 'patient'",
        ),
        ("_general", {"priority": {"urgent": "1"}}, "nothing for emergent, routine"),
        ("_general", {"leave_out": ["fields"]}, "fields is needed"),
        ("refferal", {"folder": "x"}, "refferal.yaml"),
    ],
)
def test_what_is_written_wrong_is_named_with_its_file(
    tmp_path: Path, name: str, content: dict[str, object], said: str
) -> None:
    with pytest.raises(RulesError) as caught:
        loaded(tmp_path, **{name: content})
    assert f"{name}.yaml" in caught.value.message
    assert said in caught.value.message


def test_a_payment_is_proposed_only_where_the_mapping_says_so() -> None:
    shipped = load_mapping(None, SCHEMAS).of(DocumentType.REMITTANCE_EOB)
    assert [rule.model for rule in shipped.work] == ["project.task"]


def test_the_examples_of_the_manual_are_taken(tmp_path: Path) -> None:
    manual = (SHIPPED_RULES.parent / "docs" / "odoo-mapping.md").read_text(encoding="utf-8")
    examples = re.findall(
        r"```yaml\n# <data>/rules/odoo/([a-z_]+)\.yaml\n(.*?)```", manual, re.DOTALL
    )
    assert len(examples) >= 5
    for number, (name, written) in enumerate(examples):
        own = tmp_path / str(number)
        own.mkdir()
        assert loaded(own, **{name: yaml.safe_load(written)}).digest


def test_the_manual_names_everything_that_can_be_said() -> None:
    manual = (SHIPPED_RULES.parent / "docs" / "odoo-mapping.md").read_text(encoding="utf-8")
    for name in OPEN_NAMES | CLOSED_NAMES | ITEM_NAMES:
        assert f"`{name}`" in manual or f"`.{name.partition('.')[2]}`" in manual, name
    for name in FILTERS:
        assert f"`{name}`" in manual, name
    for key in (*TypeMapping.model_fields, *WorkRule.model_fields, *General.model_fields):
        assert f"`{key}`" in manual or key == "version", key


def test_an_expression_without_a_value_says_nothing() -> None:
    wording = Wording.parse("for {payer_name}")
    assert wording.fill({"payer_name": ("Evergreen",)}) == "for Evergreen"
    assert wording.fill({}) == ""
    assert wording.fill({"payer_name": ("  ",)}) == ""


def test_parts_that_say_nothing_leave_no_separator_and_long_titles_are_cut() -> None:
    parts = [Wording.parse(each) for each in ("{a}", "{b}", "{c}")]
    assert joined(parts, {"a": ("1",), "c": ("3",)}, between=" · ", most=20) == "1 · 3"
    cut = joined(parts, {"a": ("x" * 50,)}, between=" · ", most=20)
    assert len(cut) == 20
    assert cut.endswith("…")


def test_a_line_that_names_a_list_repeats() -> None:
    wording = Wording.parse("{title|upper}: {denials}")
    values = {"title": ("denied",), "denials": ("CO-197", "CO-16")}
    assert wording.each(values) == ("DENIED: CO-197", "DENIED: CO-16")
    assert wording.fill(values) == "DENIED: CO-197, CO-16"
    assert wording.each({"title": ("denied",)}) == ()


def test_braces_can_be_written_and_no_format_of_python_is_known() -> None:
    assert Wording.parse("{{{a}}}").fill({"a": ("1",)}) == "{1}"
    for written in ("{a!r}", "{a:>20}", "{0}", "{a[0]}", "{}", "}"):
        with pytest.raises(ValueError, match="only a name"):
            Wording.parse(written)


def test_each_filter_takes_any_text() -> None:
    for name, change in FILTERS.items():
        for text in ("", "a", "2026-03-12T10:00", "partially_approved", "0199f2a4-11d0-7c33"):
            assert isinstance(change(text), str), name
    assert Wording.parse("{a|short}").fill({"a": ("0199f2a4-11d0-7c33-9d5e-3f6a0c4be921",)}) == (
        "3f6a0c4be921"
    )
