# SPDX-License-Identifier: Apache-2.0
"""Puts reading models where the product takes them from, and says in a manifest what they are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import onnx


def ship(
    model: onnx.ModelProto,
    folder: Path,
    name: str,
    origin: dict[str, Any],
    characters: tuple[str, ...] | None = None,
) -> None:
    """Writes ``model`` as ``name`` below ``folder`` and its entry into ``manifest.json``.

    Args:
        model: The ONNX graph.
        folder: ``models/reading``.
        name: File name.
        origin: Where the weights are from, and what they were measured on.
        characters: What a recogniser can write, kept in the model's metadata.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if characters is not None:
        del model.metadata_props[:]
        onnx.helper.set_model_props(model, {"character": "\n".join(characters)})
    ship_file(model.SerializeToString(), folder, name, origin)


def ship_file(data: bytes, folder: Path, name: str, origin: dict[str, Any] | None = None) -> None:
    """Writes ``data`` as ``name`` below ``folder`` and its entry into ``manifest.json``."""
    part = folder / f".{name}.part"
    part.write_bytes(data)
    part.replace(folder / name)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"models": {}}
    manifest["models"][name] = {
        **(origin or {}),
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    path.write_text(
        json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
