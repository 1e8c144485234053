# SPDX-License-Identifier: Apache-2.0
"""A real IMAP server (Dovecot) on the loopback, for one test at a time."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

USER, PASSWORD = "intake", "a pass word; with 'signs'"
_START_SECONDS = 20


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def needed() -> str:
    """The path of the program; the test is skipped, or fails where everything is required."""
    found = _program("dovecot")
    if found is None:
        if os.environ.get("IDP_REQUIRE_ALL") == "1":
            pytest.fail("dovecot is not installed (Debian: dovecot-imapd)")
        pytest.skip("dovecot is not installed (Debian: dovecot-imapd)")
    return found


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """Dovecot with one account, whose mail lies in a Maildir; it can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port = _free_port(), _free_port()
        self.password_file = folder / "password"
        self.password_file.write_text(f"{PASSWORD}\n")
        self.maildir = folder / "mail" / USER
        self.certificate = folder / "server.pem"
        self._process: subprocess.Popen[bytes] | None = None
        for each in ("cur", "new", "tmp"):
            (self.maildir / each).mkdir(parents=True)
        self._delivered = 0
        self._write_configuration()

    def _write_configuration(self) -> None:
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", str(self.folder / "key.pem"), "-out", str(self.certificate),
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip
        root = os.getuid() == 0
        # Dovecot gives nobody's mail to root: as root the mail is the nobody user's.
        owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
        login = "dovenull" if root else owner.pw_name
        internal = "dovecot" if root else owner.pw_name
        (self.folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}:::::\n")
        (self.folder / "dovecot.conf").write_text(
            f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{self.certificate}
ssl_key = <{self.folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
default_internal_user = {internal}
default_login_user = {login}
first_valid_uid = 1
mail_location = maildir:{self.folder}/mail/%u
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {self.folder}/users
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={self.folder}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""
        )
        (self.folder / "home").mkdir()
        if root:
            for path in (self.folder / "mail", self.maildir, self.folder / "home"):
                os.chown(path, owner.pw_uid, owner.pw_gid)
            for each in ("cur", "new", "tmp"):
                os.chown(self.maildir / each, owner.pw_uid, owner.pw_gid)
            self.folder.chmod(0o755)

    def start(self) -> None:
        self._process = subprocess.Popen(
            [needed(), "-F", "-c", str(self.folder / "dovecot.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), timeout=1) as link,
            ):
                if link.recv(64).startswith(b"* OK"):
                    return
            time.sleep(0.05)
        self.stop()
        said = self._process.stderr.read() if self._process.stderr else b""
        raise RuntimeError(f"dovecot did not start: {said.decode(errors='replace')}")

    def stop(self) -> None:
        """As an administrator restarts it: open connections are cut."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)

    def deliver(self, mail: bytes) -> None:
        """Put a mail into the inbox."""
        self._delivered += 1
        name = f"{1_700_000_000 + self._delivered}.{self._delivered}.test"
        path = self.maildir / "tmp" / name
        path.write_bytes(mail)
        if os.getuid() == 0:
            owner = pwd.getpwnam("nobody")
            os.chown(path, owner.pw_uid, owner.pw_gid)
        path.rename(self.maildir / "new" / name)

    def flags(self, folder: str = "") -> list[str]:
        """The flags of every mail, as the Maildir's names tell (S is seen)."""
        place = self.maildir / f".{folder}" if folder else self.maildir
        names = [p.name for sub in ("cur", "new") for p in (place / sub).glob("*")]
        return [name.partition(":2,")[2] for name in sorted(names)]


@contextmanager
def server() -> Iterator[Server]:
    """A running server with an empty inbox."""
    needed()
    with tempfile.TemporaryDirectory(prefix="idp-imap-") as folder:
        made = Server(Path(folder))
        made.start()
        try:
            yield made
        finally:
            made.stop()
