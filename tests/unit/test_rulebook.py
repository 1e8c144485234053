# SPDX-License-Identifier: Apache-2.0
"""The book of rules is whole: whatever a finding may carry is in it, with promise and source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import idp
from idp.rulebook import entries
from tests.docs_tables import import_rules

PACKAGE = Path(idp.__file__).parent

DEMANDED = frozenset(
    {
        *(f"N{number}" for number in range(1, 9)),
        *(f"D{number}" for number in range(1, 4)),
        *(f"R{number}" for number in range(1, 10)),
        *(f"A{number}" for number in range(1, 5)),
        *(f"P{number}" for number in range(1, 4)),
        "C1",
    }
)
"""The rules of the product's own list that there must be."""

LACKING: set[str] = set()
"""Of those, the ones not built yet: whoever enters one takes it out here, until none is left."""

COLLECTING = {
    "idp.validate.looked_up.once",
    "idp.validate.kept.of_other_rooms",
    "idp.validate.rules.check",
    "idp.validate.urgency.urgency_of",
}
"""Functions that gather what rules found and judge nothing themselves."""


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def _book() -> set[str]:
    import_rules()
    return {entry.rule for entry in entries()}


def _takers(trees: list[ast.Module]) -> dict[str, int]:
    """Functions with a parameter ``rule``, and where it stands among the positional ones."""
    takers: dict[str, int] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                names = [argument.arg for argument in node.args.args if argument.arg != "self"]
                if "rule" in names:
                    takers[node.name] = names.index("rule")
    return takers


def _given(call: ast.Call, takers: dict[str, int]) -> ast.expr | None:
    """What a call passes as its rule."""
    for keyword in call.keywords:
        if keyword.arg == "rule":
            return keyword.value
    name = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
    at = takers.get(name or "")
    return call.args[at] if at is not None and len(call.args) > at else None


def _literals(expression: ast.expr | None) -> Iterator[str]:
    if expression is not None:
        for node in ast.walk(expression):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_rule_that_a_finding_carries_is_in_the_book() -> None:
    trees = dict(_sources())
    takers = _takers(list(trees.values()))
    used = {
        (rule, module)
        for module, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for rule in _literals(_given(node, takers))
    }
    assert len(used) > 10
    book = _book()
    assert {each for each in used if each[0] not in book} == set()


def test_every_function_of_validate_that_gives_findings_is_in_the_book() -> None:
    import_rules()
    entered = {entry.where for entry in entries()}
    giving = {
        f"{module}.{node.name}"
        for module, tree in _sources()
        if module.startswith("idp.validate")
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.returns is not None
        if not node.name.startswith("_")
        and ("Finding" in ast.unparse(node.returns) or "Told" in ast.unparse(node.returns))
    }
    assert len(giving) > 10
    assert giving - entered == COLLECTING


def test_what_the_product_promises_to_judge_it_judges() -> None:
    assert DEMANDED - _book() == LACKING


def test_an_entry_names_a_function_or_module_that_exists() -> None:
    import_rules()
    modules = {name for name, _ in _sources()}
    for entry in entries():
        module = entry.where
        while module and module not in modules:
            module = module.rpartition(".")[0]
        assert module not in ("", "idp"), entry
