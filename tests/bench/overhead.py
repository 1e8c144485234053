# SPDX-License-Identifier: Apache-2.0
"""What the whole way costs beside the bare OCR call on the same pages, in CPU seconds.

    python -m tests.bench.overhead [FILE ...]

Bare is PaddleOCR's own pipeline (`PaddleOCR.predict`) with the weights, detection size, blur and
single thread that idp uses, on the square-pixel rasters that idp unpacks; loading and one warm-up
page are not counted. The whole way is `Pipeline.process` from the file on disk to the decision,
with one reading process, also warm, children included. Without files: IDP_CORPUS's originals and
fine faxes, else generated samples.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from idp.errors import InputError
from idp.ingest import unpack
from idp.pipeline import Pipeline
from idp.read.weights import Weights, prepare
from idp.samples import make_samples
from idp.settings import Settings, load_settings

TARGET = 1.35


def tree_seconds() -> float:
    """CPU seconds of this process and all its children, living and waited for."""
    own = psutil.Process()
    times = [own.cpu_times()]
    total = times[0].children_user + times[0].children_system
    for process in own.children(recursive=True):
        try:
            used = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system + used.children_user + used.children_system
    return float(total + times[0].user + times[0].system)


def files_to_measure(named: Sequence[str], folder: Path) -> list[Path]:
    """The files asked for, else the corpus, else samples drawn into ``folder``."""
    if named:
        return [Path(name) for name in named]
    corpus = os.environ.get("IDP_CORPUS")
    if corpus:
        found = [*Path(corpus).glob("*.pdf"), *Path(corpus).glob("*.png")]
        return sorted(found) + sorted(Path(corpus).glob("fax/*fine_g3.tif"))
    drawn = make_samples(folder, 7)
    return [path for path in drawn if path.suffix in (".tif", ".pdf")]


def bare_seconds(rasters: Sequence[tuple[str, float, float, bool]], settings: Settings) -> float:
    """CPU seconds of PaddleOCR's own call over the rasters, in a process of its own."""
    weights = prepare(settings.models_folder / "cache", settings.read.detection)
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(
            _bare, (list(rasters), weights, settings.read.detection_side, settings.read.blur_sigma)
        )


def _bare(
    rasters: list[tuple[str, float, float, bool]], weights: Weights, side: int, sigma: float
) -> float:
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    import cv2  # noqa: PLC0415 - the thread count must be set first
    from paddleocr import PaddleOCR  # noqa: PLC0415

    cv2.setNumThreads(1)
    ocr = PaddleOCR(
        engine="onnxruntime",
        engine_config={"intra_op_num_threads": 1, "inter_op_num_threads": 1},
        device="cpu",
        text_detection_model_name=weights.detection_name,
        text_detection_model_dir=str(weights.detection),
        text_recognition_model_name="PP-OCRv6_small_rec",
        text_recognition_model_dir=str(weights.thorough),
        doc_orientation_classify_model_name="PP-LCNet_x1_0_doc_ori",
        doc_orientation_classify_model_dir=str(weights.orientation),
        text_det_limit_side_len=side,
        text_det_limit_type="max",
        text_recognition_batch_size=6,
        use_doc_orientation_classify=True,
        use_doc_unwarping=False,
        use_textline_orientation=False,
    )
    images = []
    for path, dpi_x, dpi_y, bilevel in rasters:
        grey = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
        if dpi_y and dpi_x / dpi_y > 1.2:
            size = (grey.shape[1], round(grey.shape[0] * dpi_x / dpi_y))
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR)
        if bilevel:
            grey = cv2.GaussianBlur(grey, (0, 0), sigma)
        images.append(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    ocr.predict(images[0])
    before = time.process_time()
    for image in images:
        ocr.predict(image)
    return time.process_time() - before


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both figures and their ratio; 1 when it is over the target."""
    named = list(sys.argv[1:] if arguments is None else arguments)
    settings = load_settings()
    settings = settings.model_copy(update={"read": settings.read.model_copy(update={"workers": 1})})
    say = sys.stdout.write
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as place:
        folder = Path(place)
        files = files_to_measure(named, folder / "samples")
        rasters: list[tuple[str, float, float, bool]] = []
        readable: list[Path] = []
        for number, path in enumerate(files):
            work = folder / f"raster-{number}"
            work.mkdir()
            try:
                pages = unpack(path, work, settings.ingest).pages
            except InputError as error:  # a file that is refused has no pages to compare
                say(f"left out: {path.name} ({error})\n")
                continue
            readable.append(path)
            rasters += [(p.path, p.dpi_x, p.dpi_y, p.bilevel) for p in pages]
        bare = bare_seconds(rasters, settings)
        received = dt.datetime.now(dt.UTC)
        with Pipeline(settings) as pipeline:
            for number, path in enumerate([readable[0], *readable]):
                if number == 1:
                    before = tree_seconds()
                work = folder / f"work-{number}"
                work.mkdir()
                pipeline.process(path, workspace=work, channel="bench", received_at=received)
            whole = tree_seconds() - before
    ratio = whole / bare
    say(
        f"{platform.machine()}, {os.cpu_count()} cores; "
        f"{len(readable)} files, {len(rasters)} pages\n"
        f"bare OCR call   {bare:7.1f} CPU s, {bare / len(rasters):.2f} a page\n"
        f"the whole way   {whole:7.1f} CPU s, {whole / len(rasters):.2f} a page\n"
        f"ratio {ratio:.2f} (at most {TARGET})\n"
    )
    return int(ratio > TARGET)


if __name__ == "__main__":
    sys.exit(main())
