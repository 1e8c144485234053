# SPDX-License-Identifier: Apache-2.0
"""Trained weights into a models folder: the file, and what ``manifest.json`` says about it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

MODELS = Path(__file__).parents[1] / "models"


def write_atomically(path: Path, content: bytes) -> None:
    """Writes beside the target and renames, so that a killed run leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


def ship(
    models: Path, name: str, suffix: str, content: bytes, about: dict[str, Any]
) -> dict[str, Any]:
    """Writes a model and its entry: the file first, the manifest that names it next.

    Only then the file that was named before goes: killed anywhere, the manifest names weights that
    are there.

    Args:
        models: The folder; it may be empty.
        name: The model's name in the manifest.
        suffix: Of the file, with its dot.
        content: The weights.
        about: What else the entry says (version of the inputs, data, metrics).

    Returns:
        The entry.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    version = f"{name}-{sha256[:8]}"
    entry = {
        "file": version + suffix,
        "sha256": sha256,
        "bytes": len(content),
        "version": version,
        **about,
    }
    write_atomically(models / entry["file"], content)
    path = models / "manifest.json"
    manifest: dict[str, Any] = {"schema": "idp.models/1", "models": {}}
    if path.exists():
        manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["models"][name] = entry
    write_atomically(path, (json.dumps(manifest, indent=1) + "\n").encode())
    for old in models.glob(f"{name}*{suffix}"):
        if old.name != entry["file"]:
            old.unlink()
    return entry


def copy_models(models: Path, out: Path) -> None:
    """Every model that a manifest names, into another folder, for a challenger to be put among."""
    manifest = (models / "manifest.json").read_bytes()
    for entry in json.loads(manifest)["models"].values():
        write_atomically(out / entry["file"], (models / entry["file"]).read_bytes())
    write_atomically(out / "manifest.json", manifest)
