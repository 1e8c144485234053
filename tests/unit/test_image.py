# SPDX-License-Identifier: Apache-2.0
"""What the image is built from is in the repository, and is what `make install` installs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "gpu.Dockerfile").read_text(encoding="utf-8")


def test_everything_that_is_copied_is_there() -> None:
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        *sources, _target = line.split()
        for source in sources:
            path = ROOT / source
            assert path.exists(), source
            assert path.is_file() or any(path.rglob("*")), f"{source} is empty"


def test_the_image_installs_by_the_script_of_make_install() -> None:
    assert "scripts/install" in DOCKERFILE
    assert "scripts/install" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_image_runs_as_nobody_special_and_says_how_it_feels() -> None:
    assert re.search(r"^USER \d{4,}", DOCKERFILE, re.MULTILINE)
    assert "HEALTHCHECK" in DOCKERFILE
