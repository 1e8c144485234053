# SPDX-License-Identifier: Apache-2.0
"""Weights of the taggers: what ``models/manifest.json`` says about a file, and the file itself.

A file that is not the one described there is refused.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from idp.errors import ModelError


class ModelEntry(BaseModel):
    """What the manifest says about one model."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: str
    sha256: str
    version: str
    features: int


def load_entry(models: Path, name: str) -> ModelEntry:
    """A model's manifest entry; raises :class:`ModelError` when there is none."""
    path = models / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        return ModelEntry.model_validate(manifest["models"][name])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise ModelError(f"{path.name}: no usable entry for {name}") from error


def is_named(models: Path, name: str) -> bool:
    """Whether the manifest speaks of this model at all; a manifest that can't be read does not."""
    try:
        manifest = json.loads((models / "manifest.json").read_text(encoding="utf-8"))
        return name in manifest["models"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def read_weights(models: Path, entry: ModelEntry, features: int) -> bytes:
    """A model's weights, after they were found to be those of the manifest.

    Args:
        models: The folder of weights.
        entry: What the manifest says.
        features: The version of the inputs that this code gives.

    Raises:
        ModelError: The file is missing, was changed, or was trained on other inputs.
    """
    path = models / entry.file
    if entry.features != features:
        raise ModelError(f"{entry.file} was trained on features {entry.features}, not {features}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{entry.file} can't be read") from error
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise ModelError(f"{entry.file} is not the file of the manifest")
    return content
