# SPDX-License-Identifier: Apache-2.0
"""A real Odoo for the time of a test session: what ``scripts/odoo`` installed, with own databases.

By hand: ``scripts/odoo run`` serves one until Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
TEMPLATE = "idp"
BOT = "idp-bot"
_START_SECONDS = 120.0
_STOP_SECONDS = 20.0
_INSTALL_SECONDS = 180.0


class NotInstalledError(Exception):
    """``scripts/odoo`` has not run here."""


def home() -> Path:
    """Where ``scripts/odoo`` puts things."""
    return Path(os.environ.get("IDP_ODOO", ROOT / "build" / "odoo")).absolute()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Admin:
    """The administrator of one database, as the tests' eyes: sees and changes everything."""

    def __init__(
        self, url: str, database: str, login: str = "admin", secret: str = "admin"
    ) -> None:
        self._client = httpx.Client(base_url=url, timeout=120, trust_env=False)
        self._database = database
        self._secret = secret
        self.uid: int = self._rpc("common", "authenticate", database, login, secret, {})

    def _rpc(self, service: str, method: str, *args: object) -> Any:
        answer = self._client.post(
            "/jsonrpc",
            json={
                "jsonrpc": "2.0",
                "method": "call",
                "params": {"service": service, "method": method, "args": args},
            },
        ).json()
        assert "error" not in answer, answer["error"]
        return answer.get("result")

    def call(self, model: str, method: str, ids: Iterable[int] | None = None, **named: Any) -> Any:
        """As :meth:`idp.deliver.odoo.port.Odoo.call`; an error fails the test."""
        args: list[object] = [] if ids is None else [list(ids)]
        if method == "create":  # whose result Odoo takes from the place of what it was given
            args.append(named.pop("vals_list"))
        return self._rpc(
            "object",
            "execute_kw",
            self._database,
            self.uid,
            self._secret,
            model,
            method,
            args,
            named,
        )

    def rows(self, model: str, domain: list[Any], *fields: str) -> list[dict[str, Any]]:
        """What is there, oldest first, archived records too."""
        found: list[dict[str, Any]] = self.call(
            model,
            "search_read",
            domain=domain,
            fields=list(fields) or ["id"],
            order="id",
            context={"active_test": False},
        )
        return found

    def make(self, model: str, **values: Any) -> int:
        """A new record's number."""
        return int(self.call(model, "create", vals_list=[values])[0])

    def reference(self, name: str) -> int:
        """The number behind an external id, as ``base.group_user``."""
        module, _, rest = name.partition(".")
        return int(
            self.call("ir.model.data", "check_object_reference", module=module, xml_id=rest)[1]
        )


class OdooServer:
    """One Odoo process and its PostgreSQL; each test module has a database of its own."""

    def __init__(self, *, port: int = 0, workers: int = 0) -> None:
        self._home = home()
        if not (self._home / "database.tar").exists():
            raise NotInstalledError(f"no Odoo in {self._home}: run scripts/odoo")
        self._program = self._home / "server" / "usr" / "lib" / "python3" / "dist-packages"
        self._postgres = Path((self._home / "postgres").read_text().strip())
        self.folder = Path(tempfile.mkdtemp(prefix="idp-odoo-"))
        self.port = port or free_port()
        self.database_port = free_port()
        self._workers = workers
        self._process: subprocess.Popen[bytes] | None = None
        self._prepared: set[str] = set()
        self._rooted = os.geteuid() == 0
        self._unpack()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key_file(self) -> Path:
        """The bot's API key, the same in each database."""
        return self.folder / "bot.key"

    @property
    def log(self) -> str:
        """What the server has said so far."""
        return (self.folder / "odoo.log").read_text(errors="replace")

    def _unpack(self) -> None:
        # The cluster's owner comes here, into no other folder of ours.
        self.folder.chmod(0o711)
        with tarfile.open(self._home / "database.tar") as archive:
            archive.extractall(self.folder, filter="fully_trusted", numeric_owner=self._rooted)
        addons = (
            self._program / "odoo" / "addons",
            self._home / "addons" / "odoo" / "addons",
            ROOT / "tests" / "odoo" / "addons",
            ROOT / "odoo_addon",
        )
        lines = {
            "addons_path": ",".join(str(p) for p in addons if any(p.glob("*/__manifest__.py"))),
            "data_dir": self.folder / "data",
            "db_host": "127.0.0.1",
            "db_port": self.database_port,
            "db_user": "odoo",
            "http_interface": "127.0.0.1",
            "http_port": self.port,
            "workers": self._workers,
            "max_cron_threads": 0,
            "with_demo": False,
            "log_handler": ":WARNING,odoo.addons.rpc.controllers.jsonrpc:ERROR",
        }
        self._configuration = self.folder / "odoo.conf"
        self._configuration.write_text(
            "[options]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items())
        )

    def _as_owner(self, *command: str | Path) -> list[str]:
        prefix = ["runuser", "-u", "postgres", "--"] if self._rooted else []
        return [*prefix, *map(str, command)]

    def _sql(self, statement: str) -> None:
        subprocess.run(
            [
                self._postgres / "psql",
                *("-qX", "-h", "127.0.0.1", "-p", str(self.database_port)),
                *("-U", "odoo", "-d", "postgres", "-c", statement),
            ],
            check=True,
            capture_output=True,
            timeout=_INSTALL_SECONDS,
        )

    def _odoo(self, *arguments: str) -> list[str]:
        return [
            str(self._home / "venv" / "bin" / "python"),
            str(self._home / "server" / "usr" / "bin" / "odoo"),
            *("server", "-c", str(self._configuration)),
            *arguments,
        ]

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self._program), "TZ": "UTC"}

    def start_postgres(self) -> None:
        """Start the cluster; returns when it answers."""
        subprocess.run(
            self._as_owner(
                self._postgres / "pg_ctl",
                *("-D", self.folder / "cluster", "-l", self.folder / "cluster" / "log", "-w"),
                "-o",
                f"-h 127.0.0.1 -p {self.database_port} -k '' -F "
                "-c synchronous_commit=off -c full_page_writes=off -c max_connections=200",
                "start",
            ),
            check=True,
            capture_output=True,
            timeout=_START_SECONDS,
            cwd="/",
        )
        # Odoo would open it, being the only one, and what is open can't be copied.
        self._sql(f'alter database "{TEMPLATE}" allow_connections false')

    def start(self) -> None:
        """Start the server's process; returns when it answers."""
        assert self._process is None, "it runs"
        with (self.folder / "odoo.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._odoo(),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait()

    def wait(self) -> None:
        """Return when the server answers; fails the test when it ended."""
        deadline = time.monotonic() + _START_SECONDS
        with httpx.Client(trust_env=False, timeout=5) as client:
            while True:
                assert self._process is not None
                assert self._process.poll() is None, self.log[-3000:]
                try:
                    if client.get(f"{self.url}/web/version").status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                assert time.monotonic() < deadline, self.log[-3000:]
                time.sleep(0.1)

    def kill(self) -> None:
        """``kill -9``, in the middle of whatever it does."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def restart(self) -> None:
        """``kill -9`` and start again, at the same address."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """It takes connections and answers nothing, until :meth:`thaw`."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def create(self, name: str, modules: Iterable[str] = ()) -> None:
        """Make a database with more modules; the server may run.

        Modules are installed once a session, into a database of their own, which is copied.
        """
        source = TEMPLATE
        if wanted := ",".join(sorted(modules)):
            source = f"with_{wanted.replace(',', '_')}"
            if source not in self._prepared:
                self._copy(TEMPLATE, source)
                self._install(source, wanted)
                self._sql(f'alter database "{source}" allow_connections false')
                self._prepared.add(source)
        self._copy(source, name)

    def _copy(self, source: str, name: str) -> None:
        self._sql(f'create database "{name}" template "{source}" strategy file_copy')
        files = self.folder / "data" / "filestore"
        if (files / source).exists():
            shutil.copytree(files / source, files / name)

    def _install(self, name: str, modules: str) -> None:
        done = subprocess.run(
            self._odoo(
                *("-d", name, "-i", modules, "--stop-after-init", "--no-http", "--log-level=warn")
            ),
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert " ERROR " not in done.stderr, done.stderr[-3000:]

    def test_module(self, name: str, module: str) -> str:
        """Run the tests that an installed module brings; returns what was said."""
        done = subprocess.run(
            self._odoo(
                *("-d", name, "-u", module, "--test-tags", f"/{module}", "--stop-after-init"),
                *("--http-port", str(free_port()), "--log-handler", "odoo.tests:INFO"),
            ),
            check=False,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
        return done.stderr

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._sql(f'drop database if exists "{name}" with (force)')
        shutil.rmtree(self.folder / "data" / "filestore" / name, ignore_errors=True)

    def admin(self, database: str) -> Admin:
        return Admin(self.url, database)

    def grant(self, database: str, groups: Iterable[str], *, user: str = BOT) -> None:
        """Give a user further groups, by external id."""
        self._regroup(database, user, dict.fromkeys(groups, 4))

    def revoke(self, database: str, groups: Iterable[str], *, user: str = BOT) -> None:
        """Take groups from a user, by external id."""
        self._regroup(database, user, dict.fromkeys(groups, 3))

    def _regroup(self, database: str, user: str, changes: Mapping[str, int]) -> None:
        admin = self.admin(database)
        (found,) = admin.rows("res.users", [["login", "=", user]])
        admin.call(
            "res.users",
            "write",
            [found["id"]],
            vals={"group_ids": [(code, admin.reference(name)) for name, code in changes.items()]},
        )

    def close(self) -> None:
        """Stop everything and remove it."""
        self.kill()
        subprocess.run(
            self._as_owner(
                self._postgres / "pg_ctl",
                *("-D", self.folder / "cluster", "-m", "immediate", "-w", "stop"),
            ),
            check=False,
            capture_output=True,
            timeout=_STOP_SECONDS,
            cwd="/",
        )
        shutil.rmtree(self.folder, ignore_errors=True)


def main() -> int:
    """Serve a database with everything installed until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="scripts/odoo run", description=main.__doc__)
    parser.add_argument("--port", type=int, default=18069)
    parser.add_argument("--modules", default="", help="further modules, by comma")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    server = OdooServer(port=options.port)
    try:
        server.start_postgres()
        server.create("by_hand", [name for name in options.modules.split(",") if name])
        server.start()
        sys.stdout.write(
            f"{server.url}\ndatabase by_hand, administrator admin/admin, bot {BOT}, "
            f"its API key in {server.key_file}\nCtrl-C ends it and removes everything\n"
        )
        sys.stdout.flush()
        threading.Event().wait()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
