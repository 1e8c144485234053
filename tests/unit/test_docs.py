# SPDX-License-Identifier: Apache-2.0
import pytest

from idp.errors import ExitCode, all_errors
from tests.docs_tables import DOCS, PARTS, renewed


@pytest.mark.parametrize("name", sorted(PARTS))
def test_the_generated_documentation_is_up_to_date(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert text == renewed(text, PARTS[name]()), "run `make docs`"


def test_every_error_has_a_code_of_its_own_and_a_hint() -> None:
    codes = [cls.code for cls in all_errors()]
    assert len(codes) == len(set(codes))
    for cls in all_errors():
        assert cls.hint.endswith((".", "it.")), cls
        assert cls.exit_code in ExitCode


def test_every_verb_that_reads_offers_json() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    verbs = ["process", "read", "status", "show", "quarantine list", "doctor", "settings"]
    verbs += [f"models {verb}" for verb in ("list", "show", "shadow", "drift", "evaluate")]
    for verb in verbs:
        part = text.split(f"### `idp {verb} ", 1)[1].split("###", 1)[0]
        assert "`--json`" in part, verb
