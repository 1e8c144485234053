# SPDX-License-Identifier: Apache-2.0
"""Versions appear whole or not at all, and the one in force changes by one rename."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from idp.errors import ModelError, NotFoundError, WrongStateError
from idp.learning import SHIPPED, Registry, files

SHORT = 7


def models_folder(folder: Path, weights: bytes) -> Path:
    folder.mkdir(parents=True)
    (folder / "field_crf.bin").write_bytes(weights)
    entry = {
        "file": "field_crf.bin",
        "sha256": hashlib.sha256(weights).hexdigest(),
        "version": weights.decode(),
    }
    (folder / "manifest.json").write_text(json.dumps({"models": {"field_crf": entry}}))
    (folder / "reading").mkdir()
    (folder / "reading" / "big.onnx").write_bytes(b"not the registry's")
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry", models_folder(tmp_path / "shipped", b"shipped"))


@pytest.fixture
def add(registry: Registry, tmp_path: Path) -> Callable[[str], str]:
    def register(name: str) -> str:
        folder = models_folder(tmp_path / f"made-{name}", name.encode())
        return registry.register(folder, by="test").version

    return register


def test_without_a_promotion_the_shipped_models_are_in_force(registry: Registry) -> None:
    assert registry.current().version == SHIPPED
    assert registry.folder(SHIPPED) == registry.shipped
    assert registry.record(SHIPPED).models == {"field_crf": "shipped"}


def test_what_a_training_cost_makes_no_other_version(registry: Registry, tmp_path: Path) -> None:
    versions = []
    for name, told in (("slow", 400), ("quick", 90)):
        folder = models_folder(tmp_path / name, b"same")
        manifest = json.loads((folder / "manifest.json").read_text())
        entry = manifest["models"]["field_crf"]
        entry |= {"cpu_seconds": told, "metrics": [{"documents_per_cpu_second": told, "f1": 0.9}]}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        versions.append(registry.register(folder, by="test").version)
    assert versions[0] == versions[1]
    entry["metrics"][0]["f1"] = 0.8
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert registry.register(folder, by="test").version != versions[0], "a figure is no cost"


def test_a_version_is_named_by_its_files_and_registered_once(
    registry: Registry, tmp_path: Path
) -> None:
    one = registry.register(models_folder(tmp_path / "a", b"same"), by="test")
    two = registry.register(models_folder(tmp_path / "b", b"same"), by="another")
    assert one == two
    assert one.version == f"fields-{one.sha256[:12]}"
    assert len(registry.records()) == 1
    assert not (registry.folder(one.version) / "reading").exists()


def test_a_file_that_is_not_the_manifests_is_refused(registry: Registry, tmp_path: Path) -> None:
    folder = models_folder(tmp_path / "a", b"good")
    (folder / "field_crf.bin").write_bytes(b"bad!")
    with pytest.raises(ModelError, match="not the file"):
        registry.register(folder, by="test")
    assert registry.records() == ()


def test_promotions_are_taken_back_one_by_one(registry: Registry, add) -> None:
    one, two = add("one"), add("two")
    for version in (one, two):
        change = registry.promote(version, by="test", verdict="passed")
        assert change is not None
    assert registry.promote(two, by="test", verdict="passed") is None
    assert [registry.roll_back(by="test").version for _ in range(2)] == [one, SHIPPED]
    with pytest.raises(WrongStateError):
        registry.roll_back(by="test")
    history = registry.current().history
    assert [c.version for c in history] == [one, two, one, SHIPPED]
    assert [c.before for c in history] == [SHIPPED, one, two, one]
    assert len({c.id for c in history}) == len(history)


def test_the_shipped_models_can_be_promoted_again_and_that_taken_back(
    registry: Registry, add
) -> None:
    one = add("one")
    registry.promote(one, by="test", verdict="passed")
    registry.promote(SHIPPED, by="test", verdict="passed")
    assert registry.current().version == SHIPPED
    assert registry.roll_back(by="test").version == one


def test_the_stamp_changes_with_every_pointer(registry: Registry, add) -> None:
    version = add("one")
    seen = {registry.stamp()}
    registry.promote(version, by="test", verdict="passed")
    seen.add(registry.stamp())
    registry.run_in_shadow(version, 0.5)
    seen.add(registry.stamp())
    registry.roll_back(by="test")
    seen.add(registry.stamp())
    assert len(seen) == 4
    assert registry.stamp() in seen


def test_a_version_may_be_cut_short_as_long_as_it_is_clear(registry: Registry, add) -> None:
    version = add("one")
    assert registry.resolve(version[: SHORT + 6]) == version
    assert registry.resolve(version[SHORT : SHORT + 4]) == version
    assert registry.resolve("champion") == SHIPPED
    for text in ("abc", "ffffffffffff", ""):
        with pytest.raises(NotFoundError):
            registry.resolve(text)


def test_a_pointer_that_can_not_be_read_is_an_error_not_the_shipped_models(
    registry: Registry, add
) -> None:
    registry.promote(add("one"), by="test", verdict="passed")
    (registry.root / "current.json").write_text("{")
    with pytest.raises(ModelError, match=r"current\.json"):
        registry.current()


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Run in a child that is killed at its ``step``-th write or rename; whether it was."""
    child = os.fork()
    if child == 0:
        left = [step]

        def dying(real):
            def run(*args, **kwargs):
                if left[0] == 0:
                    os._exit(9)
                left[0] -= 1
                return real(*args, **kwargs)

            return run

        os.fsync = dying(os.fsync)
        Path.replace = dying(Path.replace)
        Path.rename = dying(Path.rename)
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 9


@pytest.mark.parametrize("verb", ["promote", "roll_back"])
def test_killed_at_any_write_the_pointer_names_a_version_that_is_there(
    registry: Registry, add, verb: str
) -> None:
    one, two = add("one"), add("two")
    registry.promote(one, by="test", verdict="passed")
    if verb == "roll_back":
        registry.promote(two, by="test", verdict="passed")
    before, after = (one, two) if verb == "promote" else (two, one)

    def work() -> None:
        if verb == "promote":
            registry.promote(two, by="test", verdict="passed")
        else:
            registry.roll_back(by="test")

    step, seen = 0, []
    while killed_at(step, work):
        version = registry.current().version
        assert (registry.folder(version) / "manifest.json").is_file()
        seen.append(version)
        if version == after:
            break  # done: doing it again would be another step
        step += 1
    assert set(seen) == {before, after}, "killed before and after the rename"
    assert registry.current().version == after
    registry.promote(two, by="test", verdict="passed")
    assert registry.current().version == two


def test_killed_while_registering_a_version_is_there_whole_or_not_at_all(
    registry: Registry, tmp_path: Path
) -> None:
    folder = models_folder(tmp_path / "made", b"made")
    step = 0
    while killed_at(step, lambda: registry.register(folder, by="test")):
        for record in registry.records():
            assert (registry.folder(record.version) / "field_crf.bin").read_bytes() == b"made"
        step += 1
    assert step >= 4
    (record,) = registry.records()
    registry.register(folder, by="test")
    assert [p.name for p in (registry.root / "versions").iterdir()] == [record.version]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_atomically(path, b"old")
    step = 0
    while killed_at(step, lambda: files.write_atomically(path, b"new")):
        assert path.read_bytes() in (b"old", b"new")
        step += 1
    assert path.read_bytes() == b"new"
