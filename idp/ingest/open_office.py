# SPDX-License-Identifier: Apache-2.0
"""Word processors', spreadsheets' and presentations' files, by LibreOffice where it is installed.

LibreOffice prints the file to a PDF, which is then opened as any other. It runs with a profile of
its own below the workspace, that forbids macros, links and objects from elsewhere; without a
network, where the kernel lets us take it away; and under ``timeout``, which ends it with all its
processes at the limit, also when this process is gone by then.
"""

from __future__ import annotations

import shutil
import subprocess
import time
import zipfile
from functools import cache
from pathlib import Path

from idp.errors import EncryptedFileError, OfficeFileError, TooSlowError
from idp.ingest.opened import Opened
from idp.ingest.unpack_pdf import open_pdf
from idp.settings import IngestSettings

_TIMED_OUT = (124, 137)  # coreutils timeout: ended, or killed because it would not end
_START_AGAIN = 81
"""What LibreOffice ends with when it has just made its profile and wants to be started again."""
_MOST_STARTS = 3
_KILL_SECONDS = 5
_SPARE_SECONDS = 10
_OLE_HEAD = b"\xd0\xcf\x11\xe0"
# MS-OFFCRYPTO 1.3.2: the stream that holds an encrypted package; names are UTF-16 in the directory.
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_MANIFEST = "META-INF/manifest.xml"
_MOST_MANIFEST_BYTES = 4 << 20
_HINT = "LibreOffice can't read it; ask the sender for a PDF."

# Written in org.openoffice names: macros are never run, whatever signs them; nothing is fetched
# (a proxy that does not answer stands before every host); links are not brought up to date.
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"
 xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
{items}
</oor:items>
"""
_ITEM = (
    '<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop>'
    "</item>"
)
_SETTINGS = (
    ("/org.openoffice.Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "HyperlinksWithCtrlClick", "true"),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", "0"),
    ("/org.openoffice.Office.Calc/Content/Update", "Link", "1"),
    ("/org.openoffice.Inet/Settings", "ooInetProxyType", "2"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPProxyName", "127.0.0.1"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPProxyPort", "9"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPSProxyName", "127.0.0.1"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPSProxyPort", "9"),
    ("/org.openoffice.Office.Jobs/Jobs", "UpdateCheck", "false"),
)


def open_office(path: Path, workspace: Path, limits: IngestSettings) -> Opened:
    """The pages of the file as LibreOffice prints them.

    Raises:
        OfficeFileError: LibreOffice is not installed, or can't read the file.
        EncryptedFileError: needs a password.
        TooSlowError: not converted in ``limits.office_seconds``.
        InputError: what :func:`open_pdf` says of the print.
    """
    _refuse_encrypted(path)
    program = _program()
    if program is None:
        raise OfficeFileError("LibreOffice is not installed")
    return open_pdf(_printed(program, path, workspace, limits), workspace, limits)


def _program() -> Path | None:
    """The program itself: the shell script of that name starts it as a child of a child."""
    script = shutil.which("soffice") or shutil.which("libreoffice")
    if script is None:
        return None
    real = Path(script).resolve()
    binary = real.with_name("soffice.bin")
    return binary if binary.is_file() else real


def _printed(program: Path, path: Path, workspace: Path, limits: IngestSettings) -> Path:
    profile, out, source = workspace / "profile", workspace / "printed", workspace / "office"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    out.mkdir(exist_ok=True)
    items = "\n".join(_ITEM.format(path=p, name=n, value=v) for p, n, v in _SETTINGS)
    (profile / "user" / "registrymodifications.xcu").write_text(
        _PROFILE.format(items=items), encoding="utf-8"
    )
    # Under a name of our own, without an extension: the content tells LibreOffice what it is. A
    # copy, since it writes a lock file beside what it opens.
    shutil.copyfile(path, source)
    # The child that this runs in has a limit of its own, which would blame the parser.
    seconds = max(1.0, min(limits.office_seconds, limits.unpack_seconds - _SPARE_SECONDS))
    end = time.monotonic() + seconds
    command = [
        *_without_network(), str(program), f"-env:UserInstallation={profile.as_uri()}",
        "--headless", "--nologo", "--nodefault", "--norestore", "--nolockcheck",
        "--convert-to", "pdf", "--outdir", str(out), str(source),
    ]  # fmt: skip
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(profile), "LANG": "C.UTF-8", "TZ": "UTC"}
    try:
        for _ in range(_MOST_STARTS):
            left = f"{max(0.1, end - time.monotonic()):.1f}"
            done = subprocess.run(  # noqa: S603 - fixed words and paths of our own
                ["timeout", f"--kill-after={_KILL_SECONDS}", left, *command],  # noqa: S607
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=workspace,
                env=environment,
                check=False,
            )
            if done.returncode != _START_AGAIN:
                break
    except OSError as error:
        raise OfficeFileError("LibreOffice can't be started") from error
    finally:
        source.unlink(missing_ok=True)
        shutil.rmtree(profile, ignore_errors=True)
    if done.returncode in _TIMED_OUT:
        raise TooSlowError(f"not converted in ingest.office_seconds {seconds:g}")
    printed = out / "office.pdf"
    if not printed.is_file():
        raise OfficeFileError(f"LibreOffice ends with {done.returncode} and no print", hint=_HINT)
    return printed


@cache
def _without_network() -> tuple[str, ...]:
    """A wrapper that takes the network away; empty where the kernel allows none."""
    wrapper = ("unshare", "--user", "--map-current-user", "--net")
    try:
        allowed = subprocess.run(  # noqa: S603 - fixed words
            [*wrapper, "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return wrapper if allowed.returncode == 0 else ()


def _refuse_encrypted(path: Path) -> None:
    """Raises :class:`EncryptedFileError`: LibreOffice would wait for somebody to type it."""
    locked = EncryptedFileError(f"{path.name} needs a password")
    with path.open("rb") as stream:
        if stream.read(len(_OLE_HEAD)) == _OLE_HEAD:
            stream.seek(0)
            if _ENCRYPTED_PACKAGE in stream.read():
                raise locked
            return
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_MANIFEST) as manifest:
            # ODF 1.3 part 2, 3.4: an encrypted file's manifest says how.
            if b"encryption-data" in manifest.read(_MOST_MANIFEST_BYTES):
                raise locked
    except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
        return
