# SPDX-License-Identifier: Apache-2.0
"""The register of providers at a size that tells: memory, rate of the import, time per look-up."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from idp.reference import import_file, load_layouts
from tests.reference_files import BY, crowd, npi, opened, write_nppes, zipped

pytestmark = [pytest.mark.component, pytest.mark.slow]

ROWS = 200_000
MOST_MIB = 160
"""Above what the program takes by itself; SQLite may cache 64 of it, the file has 200."""
LEAST_ROWS_PER_SECOND = 8_000
"""Of computing time, on one core; nine million rows take twenty minutes at that."""
MOST_MS_PER_LOOKUP = 1.0

_IMPORT = """
import json, sys, time
from pathlib import Path
from idp.reference import import_file, load_layouts
from tests.reference_files import BY

def most_mib():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

before, begun = most_mib(), time.process_time()
done = import_file(Path(sys.argv[1]), Path(sys.argv[2]), load_layouts()["nppes"], BY)
print(json.dumps({"rows": done.edition.rows, "seconds": time.process_time() - begun,
                  "mib": most_mib() - before}))
"""


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("register")
    return write_nppes(folder / "npidata_pfile_20050523-20260308.csv", crowd(ROWS))


def test_the_import_streams_with_bounded_memory(
    register: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = zipped(tmp_path / "NPPES_Data_Dissemination.zip", register)
    for path in (register, archive):
        answer = subprocess.run(
            [sys.executable, "-c", _IMPORT, str(tmp_path / path.suffix), str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
        figures = json.loads(answer.stdout)
        rate = figures["rows"] / figures["seconds"]
        with capsys.disabled():
            sys.stdout.write(
                f"\n{path.suffix}: {figures['rows']:,} rows of {path.stat().st_size / 2**20:.0f} "
                f"MiB in {figures['seconds']:.1f} s of computing, {rate:,.0f} rows/s, "
                f"{figures['mib']:.0f} MiB above the start\n"
            )
        assert figures["rows"] == ROWS
        assert figures["mib"] < MOST_MIB
        assert rate > LEAST_ROWS_PER_SECOND


def test_a_look_up_costs_a_document_nothing_to_speak_of(
    register: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_file(tmp_path / "reference", register, load_layouts()["nppes"], BY)
    begun = time.perf_counter()
    reference = opened(tmp_path)
    opening = time.perf_counter() - begun
    wanted = random.Random(1).sample(range(1, ROWS + 1), 5_000)
    begun = time.perf_counter()
    found = [reference.provider(npi(number)) for number in wanted]
    each = (time.perf_counter() - begun) / len(wanted)
    unknown = [reference.provider(npi(ROWS + number)) for number in range(10, 20)]
    begun = time.perf_counter()
    for _ in range(1_000):
        reference.renewed()
    renewing = (time.perf_counter() - begun) / 1_000
    with capsys.disabled():
        sys.stdout.write(
            f"\nopening {opening * 1e3:.1f} ms, look-up {each * 1e3:.3f} ms, whether an import "
            f"changed anything {renewing * 1e3:.3f} ms; a document asks for two NPIs\n"
        )
    assert all(one is not None and one.npi == npi(n) for one, n in zip(found, wanted, strict=True))
    assert unknown == [None] * 10
    assert each * 1e3 < MOST_MS_PER_LOOKUP and renewing * 1e3 < MOST_MS_PER_LOOKUP
