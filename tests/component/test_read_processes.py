# SPDX-License-Identifier: Apache-2.0
"""Reading processes: warm, replaced with nothing lost, pages remembered, engines that agree."""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image, ImageDraw, ImageFont

from idp.document import Page, RawPage
from idp.errors import MissingDependencyError, TooSlowError
from idp.read import Reader
from idp.read.cache import PageCache
from idp.read.engine import Place, check, text_steps
from idp.read.page import read_page, warm
from idp.read.reader import Job, _read_together
from idp.read.weights import prepare
from idp.settings import ReadSettings

pytestmark = pytest.mark.component

NAMES = ("Quillfeather", "Abernathy", "Oyelaran", "Szymanski")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def sheet(folder: Path, number: int = 1, lines: int = 3) -> RawPage:
    """A small page with a few printed lines."""
    page = Image.new("L", (1000, 120 + 70 * lines), 255)
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=32)
    name = NAMES[number % len(NAMES)]
    for i in range(lines):
        pen.text((60, 50 + 70 * i), f"Patient Name: {name}   Member ID: W8001{i}{number}", 0, font)
    path = folder / f"raw-{number}.png"
    page.save(path)
    return RawPage(number=number, path=str(path), dpi_x=200, dpi_y=200)


def words(page: Page) -> list[str]:
    return [word.text for word in page.words]


def test_processes_are_warm_before_the_first_page(models: Path, tmp_path: Path) -> None:
    with Reader(ReadSettings(workers=1), models) as reader:
        reader.warm_up()
        started = time.process_time()
        (page,) = reader.read([sheet(tmp_path)], tmp_path)
        assert time.process_time() - started < 1  # the parent loads no models
        assert NAMES[1] in words(page)
        assert reader.health.calls == 1


def test_a_page_that_hangs_is_killed_and_the_next_is_read(models: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never.png")  # opening it waits for a writer who never comes
    never = RawPage(number=1, path=str(tmp_path / "never.png"), dpi_x=200, dpi_y=200)
    blank = sheet(tmp_path, 2, lines=0)  # quick to read, however busy the machine is
    with Reader(ReadSettings(workers=1, page_seconds=15), models) as reader:
        reader.warm_up()
        before = reader.health
        with pytest.raises(TooSlowError, match="15 seconds"):
            reader.read([never], tmp_path)
        (page,) = reader.read([blank], tmp_path)
        assert (page.number, page.width_px, page.words) == (2, 1000, ())
        assert (before.killed_too_slow, reader.health.killed_too_slow) == (0, 1)
        assert reader.health.calls == before.calls + 1


def test_a_process_over_its_soft_limit_is_replaced_and_no_page_is_lost(
    models: Path, tmp_path: Path
) -> None:
    raw = [sheet(tmp_path, number) for number in (1, 2, 3)]
    settings = ReadSettings(workers=1, recycle_memory_mb=100)  # less than the models need
    with Reader(settings, models) as reader:
        pages = reader.read(raw, tmp_path)
        health = reader.health
    assert [page.number for page in pages] == [1, 2, 3]
    assert all(NAMES[page.number] in words(page) for page in pages)
    assert (health.replaced_for_memory, health.calls, health.died) == (3, 3, 0)


def test_a_page_read_before_is_not_read_again(models: Path, tmp_path: Path) -> None:
    cache = PageCache(tmp_path / "cache", 10**8, dt.timedelta(days=1))
    works = [tmp_path / name for name in ("first", "second", "third")]
    for work in works:
        work.mkdir()
    raw = [sheet(tmp_path, 1), sheet(tmp_path, 2)]
    twice = raw[0].model_copy(update={"number": 3})
    with Reader(ReadSettings(workers=1), models, cache) as reader:
        first = reader.read([*raw, twice], works[0])
        assert reader.health.calls == 2  # the third is the first again
        again = reader.read([*raw, twice], works[1])
        assert reader.health.calls == 2
        assert [p.model_copy(update={"image": None}) for p in again] == [
            p.model_copy(update={"image": None}) for p in first
        ]
        for page, before in zip(again, first, strict=True):
            assert page.image is not None
            assert before.image is not None
            assert Path(page.image).parent == works[1]
            assert Path(page.image).read_bytes() == Path(before.image).read_bytes()
    with Reader(ReadSettings(workers=1, blur_sigma=1.2), models, cache) as other:
        other.read(raw[:1], works[2])
        assert other.health.calls == 1  # other settings may see something else


def test_pages_read_together_are_read_as_alone(models: Path, tmp_path: Path) -> None:
    raw = [sheet(tmp_path, number, lines=4) for number in (1, 2, 3)]
    settings = ReadSettings()
    weights = prepare(models / "cache", settings.detection)
    alone = warm(weights, Place(), settings.detection_side)
    expected = [read_page(page, tmp_path, alone, settings) for page in raw]
    together = warm(weights, Place(pages=3), settings.detection_side)
    assert together is not alone
    group = [Job(page, str(tmp_path), weights, settings, Place(pages=3)) for page in raw]
    found = _read_together(group)
    runner = together.ocr._detector.paddlex_predictor.runner
    assert runner.requests == 3
    assert runner.runs < 3  # pages of one size shared a run
    for page, other in zip(found, expected, strict=True):
        assert words(page) == words(other)
        for a, b in zip(page.words, other.words, strict=True):
            assert a.confidence == pytest.approx(b.confidence, abs=0.02)
            assert a.box == pytest.approx(b.box, abs=0.005)


def test_a_line_gives_as_many_steps_as_we_count_on(models: Path) -> None:
    prepare(models / "cache")
    recognisers = [p for p in models.rglob("inference.yml") if "_rec\n" in p.read_text()]
    assert recognisers
    for settings in recognisers:
        session = onnxruntime.InferenceSession(
            str(settings.with_suffix(".onnx")), providers=["CPUExecutionProvider"]
        )
        name = session.get_inputs()[0].name
        for width in (48, 49, 52, 53, 60, 63, 103, 327):
            line = np.zeros((1, 3, 48, width), np.float32)
            assert session.run(None, {name: line})[0].shape[1] == text_steps(width)


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is an extra")
def test_openvino_reads_the_same_words(models: Path, tmp_path: Path) -> None:
    raw = [sheet(tmp_path, number, lines=6) for number in (1, 2)]
    pages = {}
    for engine in ("onnxruntime", "openvino"):
        with Reader(ReadSettings(workers=1, engine=engine), models) as reader:
            pages[engine] = reader.read(raw, tmp_path)
            assert reader.versions["engine"].startswith(engine)
            assert reader.versions["engine"].endswith(" cpu")
    for ours, theirs in zip(pages["onnxruntime"], pages["openvino"], strict=True):
        assert words(ours) == words(theirs)
        for a, b in zip(ours.words, theirs.words, strict=True):
            assert a.confidence == pytest.approx(b.confidence, abs=0.01)
            assert a.box == pytest.approx(b.box, abs=0.002)


def test_an_engine_that_is_not_installed_says_how_to_get_it(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingDependencyError) as caught:
        Reader(ReadSettings(engine="openvino"), models)
    assert "idp[openvino]" in caught.value.operator_hint


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="there is CUDA"
)
@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_gpu_that_is_not_there_is_an_error_and_never_the_cpu(models: Path, engine: str) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    with pytest.raises(MissingDependencyError, match="gpu:3") as caught:
        Reader(ReadSettings(engine=engine, device="gpu:3"), models)  # type: ignore[arg-type]
    assert "read.device = cpu" in caught.value.operator_hint


def test_a_cuda_session_that_fell_back_to_the_cpu_is_refused(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ONNX Runtime does without a driver: the CUDA build is there, its session is not."""
    from idp.read import engine  # noqa: PLC0415

    real = onnxruntime.InferenceSession

    def session(*args: object, providers: object, **others: object) -> object:
        assert providers[0][0] == "CUDAExecutionProvider"  # type: ignore[index]
        assert providers[0][1]["device_id"] == 1  # type: ignore[index]
        return real(*args, providers=["CPUExecutionProvider"], **others)

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    check(Place(device="gpu:1"))
    model = prepare(models / "cache").orientation / "inference.onnx"
    with pytest.raises(MissingDependencyError, match="could only use CPUExecutionProvider"):
        engine.runner(model, Place(device="gpu:1"))
