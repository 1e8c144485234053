# SPDX-License-Identifier: Apache-2.0
"""``idp doctor``: one line per dependency: is it there, which version, does it work on a sample."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import typer
from rich.table import Table
from rich.text import Text

from idp import __version__
from idp.cli.border import print_json, results_only, tables
from idp.errors import ExitCode, IdpError, MailboxError, ModelError, NotFoundError
from idp.settings import Settings, load_settings

Verdict = Literal["ok", "warn", "fail"]

_LEAST_FREE_GB = 2.0
_COMMITS = 50
_FEWEST_COMMITS_PER_SECOND = 20
_PROBE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Check:
    """What was found out about one dependency."""

    name: str
    verdict: Verdict
    version: str
    detail: str
    ms: int


class Weak(Exception):  # noqa: N818 - a verdict, not an error
    """The dependency works, but the operator should know something."""


_Probe = Callable[[Settings, Path], tuple[str, str]]


def examine(*, as_json: bool, about: str = "") -> None:
    """Print one line per dependency; leave with the missing-dependency code when one fails.

    Args:
        as_json: For scripts.
        about: Only those with this word in their name.
    """
    settings = load_settings()
    checks = []
    with results_only(), tempfile.TemporaryDirectory(prefix="idp-doctor-") as work:
        probes = {**_PROBES, **_folder_probes(settings)}
        if settings.review.four_eyes:
            probes["four eyes"] = _four_eyes
        for name, probe in probes.items():
            if about not in name.lower():
                continue
            checks.append(_examined(name, probe, settings, Path(work)))
    healthy = all(check.verdict != "fail" for check in checks)
    if as_json:
        print_json(
            {
                "schema": "idp.doctor/1",
                "healthy": healthy,
                "checks": [asdict(check) for check in checks],
            }
        )
    else:
        _print(checks)
    if not healthy:
        raise typer.Exit(ExitCode.MISSING_DEPENDENCY)


def _print(checks: list[Check]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        table.add_column()
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    styles = {"ok": "green", "warn": "yellow", "fail": "bold red"}
    for check in checks:
        table.add_row(
            Text(check.verdict, styles[check.verdict]),
            Text(check.name, "bold"),
            Text(check.version),
            Text(f"{check.ms} ms", "dim"),
            Text(check.detail),
        )
    tables().print(table)


def _examined(name: str, probe: _Probe, settings: Settings, work: Path) -> Check:
    start = time.perf_counter()
    verdict: Verdict = "ok"
    version = ""
    try:
        version, detail = probe(settings, work)
    except Weak as weak:
        verdict, detail = "warn", str(weak)
    except IdpError as error:
        verdict, detail = "fail", f"{error.message} ({error.operator_hint})"
    except Exception as error:
        verdict, detail = "fail", f"{type(error).__name__}: {error}"
    return Check(name, verdict, version, detail, round((time.perf_counter() - start) * 1000))


def _idp(settings: Settings, work: Path) -> tuple[str, str]:
    del work
    return __version__, f"Python {platform.python_version()}, data in {settings.data.absolute()}"


def _schemas(settings: Settings, work: Path) -> tuple[str, str]:
    from idp.schemas import load_lexicon, load_schemas  # noqa: PLC0415

    del work
    schemas = load_schemas(settings.schemas_folder)
    lexicon = load_lexicon()
    fields = sum(len(schema.fields) for schema in schemas.values())
    return "", f"{len(schemas)} types, {fields} fields, {len(lexicon.attributes)} attributes"


def _clocks(settings: Settings, work: Path) -> tuple[str, str]:
    """Clocks and calendars are well formed, and channels name sites that are described."""
    from idp.judge import clockwork_of  # noqa: PLC0415

    del work
    clockwork = clockwork_of(settings)
    lacking = {
        channel.site: name
        for name, channel in settings.ingest.channels.items()
        if channel.site and channel.site not in settings.sites
    }
    if lacking:
        told = ", ".join(f"{site} (channel {name})" for site, name in lacking.items())
        raise Weak(
            f"not in `sites`, so taken for provider sites of this machine's time zone: {told}"
        )
    sites = ", ".join(f"{name}: {site.role}" for name, site in settings.sites.items())
    return clockwork.version, (
        f"{len(clockwork.rules.clocks)} clocks, {len(clockwork.calendars)} calendars; "
        f"{sites or 'no sites described: a provider site'}"
    )


def _requirements(settings: Settings, work: Path) -> tuple[str, str]:
    """Requirements of payers and templates of letters are well formed."""
    from idp.letters import Templates  # noqa: PLC0415
    from idp.requirements import load_requirements  # noqa: PLC0415
    from idp.schemas import load_schemas  # noqa: PLC0415

    del work
    schemas = load_schemas(settings.schemas_folder)
    known = load_requirements(settings.rules_folder, schemas)
    Templates(settings.rules_folder).check(tuple(schemas))
    programmes = len({entry.programme.programme for entry in known.entries})
    return known.version, f"{len(known.entries)} requirements of {programmes} programmes"


def _odoo_mapping(settings: Settings, work: Path) -> tuple[str, str]:
    """What documents become in Odoo is well formed, and what it names is on the server."""
    from idp.cli.doctor_mapping import examine_mapping  # noqa: PLC0415

    del work
    version, told, advice = examine_mapping(settings)
    if advice:
        raise Weak(advice)
    return version, told


def _image_processing(settings: Settings, work: Path) -> tuple[str, str]:
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    del settings, work
    page = np.full((64, 64), 255, np.uint8)
    cv2.rectangle(page, (8, 8), (40, 40), 0, 2)
    contours, _ = cv2.findContours(255 - page, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) != 1:
        raise RuntimeError("finds no box on a drawn box")
    if cv2.__version__.split(".", 1)[0] != "4":
        raise Weak(f"OpenCV {cv2.__version__} is not the version that idp is built with (4.10)")
    return cv2.__version__, f"{cv2.getNumThreads()} thread(s)"


def _fax_images(settings: Settings, work: Path) -> tuple[str, str]:
    from PIL import Image, features  # noqa: PLC0415

    del settings
    for compression in ("group3", "group4"):
        path = work / f"{compression}.tif"
        Image.new("1", (1728, 100), 1).save(path, compression=compression, dpi=(204, 98))
        with Image.open(path) as image:
            image.load()
    return str(features.version("pil")), f"G3 and G4 TIFF, libtiff {features.version('libtiff')}"


def _pdf(settings: Settings, work: Path) -> tuple[str, str]:
    import pypdfium2 as pdfium  # noqa: PLC0415

    from idp.samples import samples  # noqa: PLC0415

    del settings
    sample = samples(work, names={"05-approval-letter.pdf"})[0]
    document = pdfium.PdfDocument(sample.path)
    try:
        drawn = document[0].render(scale=1).to_pil()
    finally:
        document.close()
    if len(drawn.convert("L").getcolors() or [0, 0]) < 2:
        raise RuntimeError("draws an empty page")
    return importlib.metadata.version("pypdfium2"), "draws a sample letter"


def _poppler(settings: Settings, work: Path) -> tuple[str, str]:
    del settings, work
    program = shutil.which("pdftoppm")
    if program is None:
        raise Weak("not installed: PDFs that PDFium refuses go to quarantine (poppler-utils)")
    answer = subprocess.run(  # noqa: S603 - a fixed program, no input
        [program, "-v"], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True
    )
    return answer.stderr.split("\n", 1)[0].rsplit(" ", 1)[-1], "second opinion on PDFs"


def _office(settings: Settings, work: Path) -> tuple[str, str]:
    del settings, work
    program = shutil.which("soffice")
    if program is None:
        raise Weak("not installed: office files go to quarantine (libreoffice-writer-nogui)")
    answer = subprocess.run(  # noqa: S603 - a fixed program, no input
        [program, "--version"], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True
    )
    return answer.stdout.split(" ")[1], "prints office files"


def _scanner(settings: Settings, work: Path) -> tuple[str, str]:
    from idp.ingest import Scanner  # noqa: PLC0415

    if settings.ingest.clamd is None:
        return "", "none wanted (ingest.clamd)"
    scanner = Scanner(settings.ingest.clamd)
    version = scanner.version()
    clean = work / "clean"
    clean.write_bytes(b"nothing to be found in here")
    scanner.scan(clean)
    return version.split("/")[0].removeprefix("ClamAV "), f"{version}, scans a clean file"


def _layout(settings: Settings, work: Path) -> tuple[str, str]:
    import layoutparser as lp  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    del settings, work
    page = Image.new("RGB", (60, 60), "white")
    drawn = lp.draw_box(page, lp.Layout([lp.TextBlock(lp.Rectangle(5, 5, 40, 40))]), box_width=2)
    if drawn.getcolors() == page.getcolors():
        raise RuntimeError("draws no box")
    return importlib.metadata.version("layoutparser"), "outlines a block"


def _inference(settings: Settings, work: Path) -> tuple[str, str]:
    """The engine that the settings name is there, with its device."""
    from idp.read.engine import Place, check, devices, version  # noqa: PLC0415 - heavy

    del work
    place = Place(settings.read.engine, settings.read.device)
    check(place)
    name, release, device = version(place).split(" ")
    return release, f"{name} on {device}; there are {', '.join(devices(place))}"


def _reading(settings: Settings, work: Path) -> tuple[str, str]:
    from idp.ingest import unpack  # noqa: PLC0415
    from idp.read import Reader  # noqa: PLC0415
    from idp.samples import samples  # noqa: PLC0415

    sample = samples(work, names={"01-referral.tif"})[0]
    job = work / "read"
    job.mkdir()
    # One child is enough for one page, and says the same.
    alone = settings.read.model_copy(update={"workers": 1})
    with Reader(alone, settings.models_folder) as reader:
        unpacked = unpack(sample.path, job, settings.ingest)
        start = time.perf_counter()
        pages = reader.read(unpacked.pages, job)
        seconds = time.perf_counter() - start
        versions = reader.versions
    seen = pages[0].text.upper()
    if "REFERRAL" not in seen:
        raise RuntimeError(f"reads {len(pages[0].words)} words on a sample fax, none of them right")
    models = ", ".join(f"{name} {version}" for name, version in versions.items())
    return importlib.metadata.version("paddleocr"), (
        f"{len(pages[0].words)} words of a sample fax in {seconds:.1f} s; {models}"
    )


def _weights(settings: Settings, work: Path) -> tuple[str, str]:
    """Every file of the manifest is there with the bytes that were tested."""
    del work
    path = settings.models_folder / "manifest.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["models"]
        for name, entry in entries.items():
            with (settings.models_folder / entry["file"]).open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != entry["sha256"]:
                    raise ModelError(f"{name}: {entry['file']} is not the file of the manifest")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ModelError(f"{path}: {error}") from error
    return "", ", ".join(f"{name} {entry.get('version', '')}" for name, entry in entries.items())


def _extraction(settings: Settings, work: Path) -> tuple[str, str]:
    from idp.extract import Extractor  # noqa: PLC0415
    from idp.learning import Registry  # noqa: PLC0415
    from idp.schemas import load_lexicon, load_schemas  # noqa: PLC0415

    del work
    registry = Registry(settings.registry_folder, settings.models_folder)
    in_force = registry.current().version
    extractor = Extractor(
        registry.folder(in_force), load_schemas(settings.schemas_folder), load_lexicon()
    )
    names = ", ".join(f"{name} {version}" for name, version in extractor.versions.items())
    return "", f"{in_force}: {names}"


def _database(settings: Settings, work: Path) -> tuple[str, str]:
    from sqlalchemy import create_engine, make_url, text  # noqa: PLC0415

    del work
    url = make_url(settings.resolved_database_url)
    if url.get_backend_name() != "sqlite":
        engine = create_engine(url)
        with engine.connect() as connection:
            version = ".".join(map(str, connection.dialect.server_version_info or ()))
        engine.dispose()
        return version, f"{url.get_backend_name()} answers"
    import sqlite3  # noqa: PLC0415

    folder = _nearest(Path(url.database or ".").parent)
    # A scratch database on the same disk: the live one is left in peace.
    with tempfile.TemporaryDirectory(prefix=".idp-doctor-", dir=folder) as scratch:
        engine = create_engine(f"sqlite:///{scratch}/probe.sqlite")
        with engine.connect() as connection:
            mode = connection.execute(text("PRAGMA journal_mode=WAL")).scalar_one()
            connection.execute(text("PRAGMA synchronous=FULL"))
            connection.execute(text("CREATE TABLE probe (n INTEGER)"))
            connection.commit()
            start = time.perf_counter()
            for number in range(_COMMITS):
                connection.execute(text("INSERT INTO probe VALUES (:n)"), {"n": number})
                connection.commit()
            rate = _COMMITS / (time.perf_counter() - start)
        engine.dispose()
    if mode != "wal":
        raise RuntimeError(f"{folder} does not allow WAL (a network share?)")
    if rate < _FEWEST_COMMITS_PER_SECOND:
        raise Weak(f"slow disk: {rate:.0f} commits/s in {folder}")
    return sqlite3.sqlite_version, f"SQLite, WAL, {rate:.0f} commits/s"


def _mailboxes(settings: Settings, work: Path) -> tuple[str, str]:
    """Every mailbox lets us in; nothing in it is changed."""
    from idp.ingest.mailbox import waiting  # noqa: PLC0415

    del work
    found, failed = [], []
    for name, mailbox in settings.ingest.mailboxes.items():
        try:
            found.append(f"{name}: {waiting(name, mailbox)} mails wait")
        except MailboxError as error:
            failed.append(error.message)
    if failed:
        raise MailboxError("; ".join(failed))
    return "", ", ".join(found) or "none in the settings"


def _folders(settings: Settings, work: Path) -> tuple[str, str]:
    del work
    named = {
        "inbox": settings.inbox_folder.resolve(),
        "outbox": settings.outbox_folder.resolve(),
        "store": (settings.data / "store").resolve(),
    }
    for name, folder in named.items():
        for other, there in named.items():
            if name != other and folder.is_relative_to(there):
                raise RuntimeError(f"the {name} {folder} lies inside the {other} {there}")
    for name, folder in named.items():
        nearest = _nearest(folder)
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise RuntimeError(f"{name}: {nearest} may not be written")
        with tempfile.NamedTemporaryFile(prefix=".idp-doctor-", dir=nearest) as probe:
            probe.write(b"probe")
            probe.flush()
            os.fsync(probe.fileno())
    found = [name for name, folder in named.items() if folder.is_dir()]
    made = f"there: {', '.join(found)}" if found else "made at the first `idp run`"
    return "", f"writable, apart from each other; {made}"


def _folder_probes(settings: Settings) -> dict[str, _Probe]:
    """One check for each drop folder."""
    return {f"folder {name}": partial(_drop_folder, name) for name in settings.ingest.channels}


def _drop_folder(name: str, settings: Settings, work: Path) -> tuple[str, str]:
    from idp.cli.doctor_folders import examine_folder  # noqa: PLC0415

    del work
    told, advice = examine_folder(settings, name)
    if advice:
        raise Weak("; ".join(advice))
    return "", told


def _space(settings: Settings, work: Path) -> tuple[str, str]:
    del work
    free = shutil.disk_usage(_nearest(settings.data)).free / 1e9
    if free < _LEAST_FREE_GB:
        raise Weak(f"{free:.1f} GB free, less than {_LEAST_FREE_GB:.0f} GB")
    return "", f"{free:.0f} GB free"


def _nearest(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    folder = folder.absolute()
    while not folder.is_dir():
        folder = folder.parent
    return folder


def _reference(settings: Settings, work: Path) -> tuple[str, str]:
    from idp.reference import Reference  # noqa: PLC0415

    del work
    reference = Reference.of(settings)
    if problems := reference.problems():
        raise Weak("; ".join(problems))
    silent = (f"{rule} ({', '.join(k)})" for rule, k in reference.silent_rules().items())
    found = f"{len(reference.editions)} lists imported"
    return "", "; looking nothing up: ".join(filter(None, (found, ", ".join(silent))))


def _masters(settings: Settings, work: Path) -> tuple[str, str]:
    from idp.masters import Directories  # noqa: PLC0415

    del work
    directories = Directories(settings.masters_folder)
    if problems := directories.problems():
        raise Weak("; ".join(problems))
    found = (f"{fact.entries:,} {fact.directory}" for fact in directories.facts())
    return "", ", ".join(found) or "none imported: rule N4 looks nobody up"


def _label_studio(settings: Settings, work: Path) -> tuple[str, str]:
    """It answers, lets us in, and is the release that the screen was made for."""
    from idp.review.status import examine_review  # noqa: PLC0415

    del work
    release, told, advice = examine_review(settings.review, settings.review_folder)
    if advice:
        raise Weak("; ".join(filter(None, (release, told, *advice))))
    return release, told


def _odoo(settings: Settings, work: Path) -> tuple[str, str]:
    """The server that documents go to answers, takes the bot's key and gives it its rights."""
    from idp.cli.doctor_odoo import examine_odoo  # noqa: PLC0415

    del work
    version, detail, advice = examine_odoo(settings)
    if advice:
        raise Weak(f"{version}, {detail}; {'; '.join(advice)}")
    return version, detail


def _four_eyes(settings: Settings, work: Path) -> tuple[str, str]:
    """Whether somebody is there for what two people look at."""
    from idp.cli.house import open_store  # noqa: PLC0415
    from idp.looks import check_types, lacking  # noqa: PLC0415
    from idp.schemas import load_schemas  # noqa: PLC0415

    del work
    check_types(settings.review.four_eyes, load_schemas(settings.schemas_folder))
    try:
        with closing(open_store(settings)) as store:
            people = store.people()
    except NotFoundError:
        people = ()  # nothing has run here yet
    if wanting := lacking(people):
        raise Weak(f"review.four_eyes: {wanting} (idp users add)")
    return "", f"two people look at some of {', '.join(sorted(settings.review.four_eyes))}"


_PROBES: dict[str, _Probe] = {
    "idp": _idp,
    "document schemas": _schemas,
    "clocks": _clocks,
    "payer requirements": _requirements,
    "Odoo mapping": _odoo_mapping,
    "OpenCV": _image_processing,
    "Pillow": _fax_images,
    "PDFium": _pdf,
    "poppler": _poppler,
    "LibreOffice": _office,
    "virus scanner": _scanner,
    "layoutparser": _layout,
    "inference": _inference,
    "PaddleOCR": _reading,
    "model files": _weights,
    "extraction": _extraction,
    "reference data": _reference,
    "directories": _masters,
    "database": _database,
    "folders": _folders,
    "mailboxes": _mailboxes,
    "Label Studio": _label_studio,
    "Odoo": _odoo,
    "disk space": _space,
}
