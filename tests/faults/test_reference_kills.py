# SPDX-License-Identifier: Apache-2.0
"""An import that is killed: what was in force stays so, and the next one goes through."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from idp.reference import import_file, load_layouts
from tests.reference_files import BY, npi, opened, person, write_nppes

pytestmark = pytest.mark.component

ROWS = 30_000

_IMPORT = """
import sys
from pathlib import Path
from idp.reference import import_file, load_layouts
from tests.reference_files import BY
print("begins", flush=True)
import_file(Path(sys.argv[1]), Path(sys.argv[2]), load_layouts()["nppes"], BY)
"""

_KILLED_AT = """
import os, signal, sys
from pathlib import Path
from idp.reference import building
from tests.reference_files import BY
from idp.reference import load_layouts

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[3] == "replace":
    Path.replace = die
else:
    setattr(building, sys.argv[3], die)
building.import_file(Path(sys.argv[1]), Path(sys.argv[2]), load_layouts()["nppes"], BY)
"""


def _register(folder: Path, name: str, last: str, count: int) -> Path:
    return write_nppes(
        folder / f"npidata_pfile_{name}.csv", (person(n, last, "ADA") for n in range(1, count))
    )


def _who(folder: Path) -> tuple[str, ...]:
    found = opened(folder).provider(npi(1))
    assert found is not None
    return found.names


@pytest.fixture
def in_force(tmp_path: Path) -> Path:
    first = _register(tmp_path, "20050523-20260208", "OLD", ROWS // 2)
    import_file(tmp_path / "reference", first, load_layouts()["nppes"], BY)
    return tmp_path


@pytest.mark.parametrize(
    ("weekly", "step"),
    [
        *((False, step) for step in ("rows", "_index", "_describe", "_into_place", "replace")),
        *((True, step) for step in ("_copied", "rows", "_describe", "_into_place", "replace")),
    ],
)
def test_killed_at_any_step_the_old_register_stays_and_the_next_import_is_whole(
    in_force: Path, weekly: bool, step: str
) -> None:
    name = "20260301-20260308" if weekly else "20050523-20260308"
    second = _register(in_force, name, "NEW", ROWS // 2)
    answer = subprocess.run(
        [sys.executable, "-c", _KILLED_AT, str(in_force / "reference"), str(second), step],
        capture_output=True,
        check=False,
    )
    assert answer.returncode == -signal.SIGKILL, answer.stderr.decode()
    assert _who(in_force) == ("ADA OLD",)
    import_file(in_force / "reference", second, load_layouts()["nppes"], BY)
    assert _who(in_force) == ("ADA NEW",)
    left = sorted(path.name for path in (in_force / "reference").iterdir())
    assert left == [".lock", "nppes.sqlite"]


def test_killed_at_moments_that_nobody_chose(in_force: Path) -> None:
    second = _register(in_force, "20050523-20260308", "NEW", ROWS)
    killed = 0
    for wait in (0.02, 0.1, 0.25, 0.5, 0.8):
        child = subprocess.Popen(
            [sys.executable, "-c", _IMPORT, str(in_force / "reference"), str(second)],
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None and child.stdout.readline() == b"begins\n"
        time.sleep(wait)
        alive = child.poll() is None
        child.kill()  # does nothing to one that has ended
        child.wait()
        child.stdout.close()
        killed += alive
        assert _who(in_force) in (("ADA OLD",), ("ADA NEW",))
        reference = opened(in_force)
        assert reference.problems() == ()
        assert all(reference.is_whole(each) for each in reference.editions)
    assert killed > 0
    import_file(in_force / "reference", second, load_layouts()["nppes"], BY)
    assert _who(in_force) == ("ADA NEW",)


def test_two_imports_at_once_take_turns(in_force: Path) -> None:
    files = [
        _register(in_force, "20260301-20260308", "FIRST", 200),
        _register(in_force, "20260309-20260315", "LATER", 100),
    ]
    children = [
        subprocess.Popen([sys.executable, "-c", _IMPORT, str(in_force / "reference"), str(path)])
        for path in files
    ]
    assert [child.wait() for child in children] == [0, 0]
    (edition,) = opened(in_force).editions
    assert sorted(update.file for update in edition.updates) == sorted(p.name for p in files)
    assert edition.rows == ROWS // 2 - 1
