# SPDX-License-Identifier: Apache-2.0
"""The CUDA image has onnxruntime-gpu in place of onnxruntime."""

from __future__ import annotations

import importlib.metadata

import pytest

from idp.errors import MissingDependencyError
from idp.read import engine


def installed(*packages: str):
    def version(name: str) -> str:
        if name not in packages:
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.31.1"

    return version


@pytest.mark.parametrize("package", ["onnxruntime", "onnxruntime-gpu"])
def test_either_build_of_the_runtime_is_named(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", installed(package))
    assert engine.version(engine.Place()) == f"{package} 1.31.1 cpu"


def test_an_installation_without_a_runtime_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", installed())
    with pytest.raises(MissingDependencyError):
        engine.version(engine.Place())
