# SPDX-License-Identifier: Apache-2.0
"""Our own Label Studio: a child process on loopback, started, watched and started again.

It runs in an environment of its own (``scripts/review``), because its pins and its gigabyte would
hurt the runtime. It is told to keep to itself: no analytics, no error reports, no version checks,
and whatever it would still ask of the internet fails at once, since its proxy is a closed port.
The appliance works without it: trouble here is a line in :meth:`LabelStudio.problem`, never an
exception.

What Label Studio prints may name tasks, so it goes to a file of this user in the review folder
(bounded), and only the fact that it ended to our log.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import httpx

from idp.errors import ReviewError, where
from idp.review.access import (
    USER,
    address_file,
    make_private,
    own_password,
    own_token,
)
from idp.slices import ReviewSettings

VERSION = "1.23.2"
"""The release whose ways the screen and the client know; locks/review.txt pins it."""

PROGRAMS = Path(__file__).parents[2] / "review_ui"
"""What runs in Label Studio's environment: source files beside the package."""

_HOST = "127.0.0.1"
_START_SECONDS = 300.0
"""The first start makes the database: 25 s on a quick machine."""
_LOOK_SECONDS = 0.5
_HEALTH_EVERY_SECONDS = 15.0
_HEALTH_SECONDS = 10.0
_SICK_BEFORE_RESTART = 4
"""So many looks in a row without an answer, and it is ended and started again."""
_STOP_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_STEADY_SECONDS = 300.0
"""After so long without trouble the next pause is a short one again."""
_LOG_BYTES = 5_000_000
_NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT")

_log = logging.getLogger(__name__)


def environment_of(settings: ReviewSettings) -> Path:
    """The virtual environment that holds Label Studio and its SDK; it need not be there."""
    return (settings.environment or PROGRAMS.parent / ".venv-review").absolute()


def interpreter_of(settings: ReviewSettings) -> Path:
    """The Python of that environment.

    Raises:
        ReviewError: The environment is not there.
    """
    python = environment_of(settings) / "bin" / "python"
    if not os.access(python, os.X_OK):
        raise ReviewError(
            f"there is no environment with Label Studio in {environment_of(settings)}"
        )
    return python


def installed(settings: ReviewSettings) -> dict[str, str]:
    """The versions of label-studio and its SDK in that environment; nothing of it is run.

    Raises:
        ReviewError: The environment or one of the two is not there.
    """
    interpreter_of(settings)
    found = {}
    for name in ("label_studio", "label_studio_sdk"):
        pattern = f"lib/python3.*/site-packages/{name}-*.dist-info"
        folders = sorted(environment_of(settings).glob(pattern))
        if not folders:
            raise ReviewError(f"{environment_of(settings)} holds no {name.replace('_', '-')}")
        found[name.replace("_", "-")] = folders[-1].name.removesuffix(".dist-info").split("-")[1]
    return found


class LabelStudio:
    """Runs our own Label Studio between :meth:`start` and :meth:`stop`. Thread-safe.

    Nothing here raises for Label Studio's sake: :meth:`problem` tells what is wrong, and it is
    tried again and again, with growing pauses.
    """

    def __init__(
        self, settings: ReviewSettings, folder: Path, *, receiver: str | None = None
    ) -> None:
        """Prepares; nothing is started or written yet.

        Args:
            settings: The review's options.
            folder: The review folder (``settings.review_folder``).
            receiver: Host of the webhook's receiver, when it is not this machine.
        """
        self._settings = settings
        self._folder = folder.absolute()
        self._receiver = receiver
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._problem: str | None = None
        self._port = settings.port
        self._restarts = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Its address; meaningful once :meth:`wait` said yes."""
        return f"http://{_HOST}:{self._port}"

    @property
    def restarts(self) -> int:
        """How often it had to be started again since :meth:`start`."""
        return self._restarts

    @property
    def pid(self) -> int | None:
        """The child process that runs now, if any."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def start(self) -> None:
        """Start it in the background; returns at once. A second call changes nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep, name="label-studio", daemon=True)
            self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether it answers within so many seconds."""
        return self._ready.wait(seconds)

    def problem(self) -> str | None:
        """What an operator should know; ``None`` while it answers or is just starting."""
        return self._problem

    def stop(self) -> None:
        """End it; returns when it has ended."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._ready.clear()

    def _keep(self) -> None:
        """Start it whenever it does not run, until :meth:`stop`."""
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._run_once()
            except ReviewError as error:
                self._note(error.message)
            except Exception as error:
                # The appliance outlives every trouble of Label Studio's; the next round tries anew.
                self._note(f"Label Studio: {where(error)}")
            finally:
                self._ready.clear()
                self._end()
            if time.monotonic() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            if not self._stopping.wait(pause):
                self._restarts += 1
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _run_once(self) -> None:
        """From its start to its end, or to the end of us.

        Raises:
            ReviewError: It can't be started, ended by itself, or stopped answering.
        """
        python = interpreter_of(self._settings)
        if (found := installed(self._settings)["label-studio"]) != VERSION:
            raise ReviewError(f"Label Studio {found} is installed, {VERSION} is needed")
        make_private(self._folder)
        make_private(self._folder / "label-studio")
        (self._folder / "pages").mkdir(mode=0o700, exist_ok=True)
        # A picked port is kept, so that those who have asked for it find it again.
        self._port = free_port(self._settings.port, before=self._port)
        account = {
            "port": self._port,
            "user": USER,
            "password": own_password(self._folder),
            "token": own_token(self._settings, self._folder),
            "organisation": "idp",
        }
        with self._log_file() as log:
            child = subprocess.Popen(  # noqa: S603 - our own program, no input but ours
                [python, PROGRAMS / "serve.py"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder / "label-studio",
                env=self._environment(),
                # Ctrl-C is ours to act upon: it goes to all of a terminal's processes.
                start_new_session=True,
            )
        self._child = child
        assert child.stdin is not None
        with suppress(BrokenPipeError):
            # It stays open: its end tells the child that we have ended.
            child.stdin.write(f"{json.dumps(account)}\n".encode())
            child.stdin.flush()
        self._watch(child)

    def _watch(self, child: subprocess.Popen[bytes]) -> None:
        """Look after the child until it ends or we do.

        Raises:
            ReviewError: It ended by itself or stopped answering.
        """
        deadline = time.monotonic() + _START_SECONDS
        look_again, sick = 0.0, 0
        while not self._stopping.wait(_LOOK_SECONDS):
            if (status := child.poll()) is not None:
                raise ReviewError(
                    f"Label Studio ended (status {status}); {self._log_path} tells why"
                )
            if time.monotonic() < look_again:
                continue
            if healthy(self.url):
                sick = 0
                if not self._ready.is_set():
                    self._tell_address()
                    self._problem = None
                    self._ready.set()
                    _log.info("Label Studio answers on %s", self.url)
            elif self._ready.is_set():
                sick += 1
                if sick >= _SICK_BEFORE_RESTART:
                    raise ReviewError("Label Studio does not answer and is started again")
            elif time.monotonic() > deadline:
                raise ReviewError(f"Label Studio did not come up within {_START_SECONDS:.0f} s")
            # While it starts the port is closed and asking costs nothing.
            look_again = time.monotonic() + (_HEALTH_EVERY_SECONDS if self._ready.is_set() else 0)
            self._shorten_log()

    def _end(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        # SQLite outlives a kill, so that nothing is gained by asking for long.
        for end in (child.terminate, child.kill):
            end()
            with suppress(subprocess.TimeoutExpired):
                child.wait(_STOP_SECONDS)
                break
        if child.stdin is not None:
            with suppress(OSError):
                child.stdin.close()

    def _note(self, problem: str) -> None:
        """Keep the problem for whoever asks; log it when it is another than before."""
        if problem != self._problem:
            _log.warning("%s", problem)
        self._problem = problem

    def _tell_address(self) -> None:
        """Leave the address for other processes (``idp review setup``)."""
        path = address_file(self._folder)
        half = path.with_suffix(".tmp")
        half.write_text(f"{self.url}\n", encoding="ascii")
        half.replace(path)

    @property
    def _log_path(self) -> Path:
        return self._folder / "label-studio.log"

    def _log_file(self) -> BinaryIO:
        """Its log, open for appending, for this user only."""
        self._shorten_log()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.fdopen(os.open(self._log_path, flags, 0o600), "ab")

    def _shorten_log(self) -> None:
        """Keep the log and one before it, each below a limit; the child goes on writing to it."""
        with suppress(FileNotFoundError):
            if self._log_path.stat().st_size > _LOG_BYTES:
                # Copied and cut: the child appends, and knows of no other file.
                shutil.copy2(self._log_path, self._log_path.with_suffix(".log.1"))
                os.truncate(self._log_path, 0)

    def _environment(self) -> dict[str, str]:
        """Its environment: nothing of ours but the path and the language."""
        inside = ",".join(filter(None, ("127.0.0.1", "localhost", "::1", self._receiver)))
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            **passed,
            "HOME": str(self._folder / "label-studio"),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_DB": "sqlite",
            "LABEL_STUDIO_BASE_DATA_DIR": str(self._folder / "label-studio"),
            "LOG_LEVEL": "WARNING",
            "DEBUG": "false",
            # Nothing leaves this machine: the default of Sentry's address is a real one that is
            # sent personal data, and some requests no variable of its own stops.
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
            "FEATURE_FLAGS_OFFLINE": "true",
            "HTTP_PROXY": _NOWHERE,
            "HTTPS_PROXY": _NOWHERE,
            "http_proxy": _NOWHERE,
            "https_proxy": _NOWHERE,
            "NO_PROXY": inside,
            "no_proxy": inside,
            # Nobody signs up by themselves; the gate makes accounts.
            "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            # No foreign page may read it through a browser, no foreign name leads to it.
            "CORS_ALLOW_ALL_ORIGINS": "false",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            # Page images are read where they lie, and only below <folder>/pages.
            "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
            "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(self._folder),
            # The hook goes to this machine; other inner networks stay closed to it.
            "USE_DEFAULT_BANNED_SUBNETS": "false",
            "USER_ADDITIONAL_BANNED_SUBNETS": (
                "10.0.0.0/8,100.64.0.0/10,169.254.0.0/16,172.16.0.0/12,192.168.0.0/16"
            ),
            # A reviewer's Submit waits for the hook, which is only a hint.
            "WEBHOOK_TIMEOUT": "2",
            # An opened task is kept for whoever opened it: an hour, not a day.
            "TASK_LOCK_TTL": "3600",
        }


def healthy(url: str, seconds: float = _HEALTH_SECONDS) -> bool:
    """Whether a Label Studio answers there and says that it is well."""
    try:
        answer = httpx.get(f"{url}/health/", timeout=seconds, trust_env=False)
        return answer.status_code == httpx.codes.OK and answer.json().get("status") == "UP"
    except (httpx.HTTPError, ValueError, AttributeError):
        return False


def free_port(wanted: int, *, before: int = 0) -> int:
    """The port, when nothing listens there; for 0 the one of before, or one that is free.

    Raises:
        ReviewError: Another program listens there.
    """
    for port in (wanted,) if wanted else (before, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As the server itself does: connections of one that has just ended are no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError as error:
                trouble = error
                continue
            found: int = probe.getsockname()[1]
            return found
    raise ReviewError(
        f"Label Studio: can't listen on {_HOST}:{wanted}: {trouble.strerror}",
        hint="Another program uses the port: choose another with IDP_REVIEW__PORT.",
    ) from trouble
