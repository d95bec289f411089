"""A private Dovecot 2.3 of the tests: own configuration, users, ports and certificates, in a directory of
its own. It runs as an ordinary user: as the one who runs the tests, or as `nobody` where that is root.

Mail is put straight into the maildirs, so that what a test delivers is exactly what the server holds.
"""

import grp
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from imapclient.imap_utf7 import encode as encode_utf7

from tests.servers.certs import CertAuthority
from tests.servers.dovecot_config import CONFIG, OAUTH_PASSDB
from tests.servers.ports import end, free_port, listening, wait_until

DOVECOT = "/usr/sbin/dovecot"
DOVEADM = "/usr/bin/doveadm"
SYSTEM_FLAGS = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Deleted": "T"}


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the server, with a password made for this run."""

    username: str
    password: str = field(repr=False)


class DovecotServer:
    """Starts with `start()`, ends with `close()`; a context manager does both.

    `port` speaks clear text and STARTTLS, `tls_port` implicit TLS; `ca_file` is what a client trusts.
    With `introspection_url`, XOAUTH2 and OAUTHBEARER tokens are checked there (RFC 7662).
    """

    host = "127.0.0.1"

    def __init__(self, *, introspection_url: str | None = None, plaintext_auth: bool = True) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="syncd-dovecot-"))
        owner = pwd.getpwuid(os.geteuid()) if os.geteuid() else pwd.getpwnam("nobody")
        self._uid, self._gid, self._user = owner.pw_uid, owner.pw_gid, owner.pw_name
        self.port, self.tls_port = 0, 0
        authority = CertAuthority(self.base / "tls")
        self._cert = authority.issue()
        self.ca_file = authority.ca_file
        self._introspection_url = introspection_url
        self._plaintext_auth = plaintext_auth
        self._delivered = count(1)
        self._denied: set[Path] = set()
        self._process: subprocess.Popen[bytes] | None = None
        (self.base / "home").mkdir()
        (self.base / "users").mkdir()
        if introspection_url is not None:
            (self.base / "oauth2.conf").write_text(
                f"introspection_mode = post\nintrospection_url = {introspection_url}\n"
                "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
            )
        (self.base / "state").mkdir()
        self._own(self.base)

    @staticmethod
    def available() -> bool:
        """Whether the Debian package dovecot-imapd (or its like) is installed."""
        return Path(DOVECOT).exists() and Path("/usr/lib/dovecot/imap-login").exists()

    def __enter__(self) -> "DovecotServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Returns once both ports accept connections. A server started again keeps its ports."""
        known = bool(self.port)
        for _attempt in range(5):  # somebody may take a free port before Dovecot does
            if not known:
                self.port, self.tls_port = free_port(), free_port()
            self._launch()
            try:
                wait_until(self._ready, "Dovecot accepts connections")
            except (TimeoutError, RuntimeError):
                self.stop()
            else:
                return
        raise RuntimeError(f"Dovecot did not start: {self.log()}")

    def stop(self) -> None:
        """Ends the server; its users and their mail stay, for another `start()`."""
        if self._process is not None:
            end(self._process)
            self._process = None
            wait_until(lambda: not listening(self.port), "Dovecot has let go of its port")

    def close(self) -> None:
        """Ends the server and removes everything it had."""
        self.stop()
        for path in self._denied:
            if path.exists():
                path.chmod(0o700)
        shutil.rmtree(self.base, ignore_errors=True)

    def log(self) -> str:
        """What the server wrote down, for a test that failed."""
        return "".join(
            path.read_text(errors="replace")
            for path in (self.base / "stderr.log", self.base / "dovecot.log")
            if path.exists()
        )

    def add_user(self, name: str | None = None, password: str | None = None) -> Account:
        """A new user with an empty Inbox; the name and the password are random unless given."""
        account = Account(name or f"user-{secrets.token_hex(4)}", password or secrets.token_urlsafe(16))
        self._write(account)
        self.folder(account, "INBOX")
        return account

    def add_mailbox_of(self, login: str, password: str | None = None) -> Account:
        """A new user for a CRM user; the name is another one here, since the server outlives the test."""
        return self.add_user(password=password)

    def table(self, port: int) -> str:
        """The servers' table of a config."""
        return (
            f'[servers.corp.imap]\nhost = "{self.host}"\nport = {port}\nsecurity = "none"\ntimeout = "20s"\n'
        )

    def refused(self) -> int:
        """How many logins were refused so far."""
        log = self.log()
        return log.count("auth failed") + log.count("Password mismatch")

    def change_password(self, account: Account) -> Account:
        """The same user with another password; the old one is refused from now on."""
        changed = Account(account.username, secrets.token_urlsafe(16))
        self._write(changed)
        written = int(time.time())
        wait_until(lambda: time.time() >= written + 1, "Dovecot looks at its files again")
        return changed

    def maildir(self, account: Account) -> Path:
        """The user's maildir: the Inbox itself, with the other folders in it as `.Name`."""
        return self.base / "home" / account.username / "Maildir"

    def folder(self, account: Account, name: str) -> Path:
        """The maildir of the folder, made where it is missing."""
        path = self._folder_path(account, name)
        for part in ("cur", "new", "tmp"):
            (path / part).mkdir(parents=True, exist_ok=True)
        if path != self.maildir(account):
            (path / "maildirfolder").touch()
        self._own(self.base / "home" / account.username)
        return path

    def deliver(
        self,
        account: Account,
        folder: str,
        raw: bytes | Iterable[bytes],
        *,
        internaldate: datetime | None = None,
        flags: Iterable[str] = (),
    ) -> list[str]:
        """Puts the messages into the folder, as they are. Returns their file names in the maildir.

        `flags` are system flags (`\\Seen`) or keywords; `internaldate` is the same for all.
        """
        path = self.folder(account, folder)
        letters = self._flag_letters(path, flags)
        names = []
        for content in [raw] if isinstance(raw, bytes) else raw:
            name = (
                f"{1_600_000_000 + next(self._delivered)}.M{os.getpid()}.tests,S={len(content)}:2,{letters}"
            )
            waiting = path / "tmp" / name
            waiting.write_bytes(content)
            if internaldate is not None:
                os.utime(waiting, (internaldate.timestamp(), internaldate.timestamp()))
            self._own_one(waiting)
            waiting.rename(path / "cur" / name)
            names.append(name)
        return names

    def expunge(self, account: Account, folder: str, file_name: str) -> None:
        """Removes a delivered message, as another client would."""
        unique = file_name.split(":", maxsplit=1)[0]
        for path in (self._folder_path(account, folder) / "cur").glob(f"{_literally(unique)}*"):
            path.unlink()

    def rename_folder(self, account: Account, old: str, new: str) -> None:
        """Another name for the folder."""
        self._folder_path(account, old).rename(self._folder_path(account, new))

    def delete_folder(self, account: Account, name: str) -> None:
        """The folder and all its messages are gone."""
        shutil.rmtree(self._folder_path(account, name))

    def deny_folder(self, account: Account, name: str) -> None:
        """The server lists the folder and cannot open it."""
        path = self._folder_path(account, name)
        path.chmod(0)
        self._denied.add(path)

    def allow_folder(self, account: Account, name: str) -> None:
        """Takes `deny_folder` back."""
        self._folder_path(account, name).chmod(0o700)

    def change_uidvalidity(self, account: Account, folder: str, *, new_uids: bool = True) -> None:
        """Gives the folder another UIDVALIDITY, as after a rebuild, and its messages other UIDs unless told
        not to: then an old UID means another message without anything else telling so."""
        header = (self._folder_path(account, folder) / "dovecot-uidlist").read_text().splitlines()[0]
        found = re.match(r"3 V(\d+) N(\d+)", header)
        assert found, f"not a uidlist: {header}"
        options = ["--uid-validity", str(int(found[1]) + 1000)]
        if new_uids:
            options += ["--min-next-uid", str(int(found[2]) + 1000)]
        self._doveadm("mailbox", "update", "-u", account.username, *options, folder)
        self._doveadm("force-resync", "-u", account.username, folder)

    def file_names(self, account: Account) -> set[str]:
        """Every message file of the user, with the flags in its name: what a reader must not change."""
        return {
            str(path.relative_to(self.maildir(account)))
            for path in _walk(self.maildir(account))
            if path.parent.name in {"cur", "new"}
        }

    def _launch(self) -> None:
        config = self.base / "dovecot.conf"
        config.write_text(
            CONFIG.format(
                base=self.base,
                user=self._user,
                group=grp.getgrgid(self._gid).gr_name,
                cert=self._cert.cert,
                key=self._cert.key,
                imap_port=self.port,
                imaps_port=self.tls_port,
                disable_plaintext="no" if self._plaintext_auth else "yes",
                oauth_mechanisms=" xoauth2 oauthbearer" if self._introspection_url else "",
                oauth_passdb=OAUTH_PASSDB.format(base=self.base) if self._introspection_url else "",
            )
        )
        self._own_one(config)
        is_root = os.geteuid() == 0
        with (self.base / "stderr.log").open("ab") as stderr:
            self._process = subprocess.Popen(
                [DOVECOT, "-F", "-c", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                cwd=self.base,
                user=self._uid if is_root else None,
                group=self._gid if is_root else None,
                extra_groups=[] if is_root else None,
            )

    def _ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("it ended by itself")
        return _greets(self.port) and listening(self.tls_port)

    def _doveadm(self, *command: str) -> None:
        config = str(self.base / "dovecot.conf")
        subprocess.run([DOVEADM, "-c", config, *command], check=True, capture_output=True, timeout=30)

    def _write(self, account: Account) -> None:
        # A file a user: Dovecot looks at most once a second whether a file it knows has changed.
        fresh = self.base / "users.new"
        fresh.write_text(f"{account.username}:{{PLAIN}}{account.password}\n")
        self._own_one(fresh)
        fresh.rename(self.base / "users" / account.username)

    def _folder_path(self, account: Account, name: str) -> Path:
        if name.upper() == "INBOX":
            return self.maildir(account)
        encoded: bytes = encode_utf7(name)
        return self.maildir(account) / ("." + encoded.decode("ascii").replace("/", "."))

    def _flag_letters(self, path: Path, flags: Iterable[str]) -> str:
        letters = set()
        keywords_file = path / "dovecot-keywords"
        known = keywords_file.read_text().splitlines() if keywords_file.exists() else []
        keywords = [line.split(" ", 1)[1] for line in known]
        for flag in flags:
            if flag in SYSTEM_FLAGS:
                letters.add(SYSTEM_FLAGS[flag])
                continue
            if flag not in keywords:
                keywords.append(flag)
            letters.add(chr(ord("a") + keywords.index(flag)))
        if keywords:
            keywords_file.write_text("".join(f"{number} {word}\n" for number, word in enumerate(keywords)))
            self._own_one(keywords_file)
        return "".join(sorted(letters))

    def _own(self, top: Path) -> None:
        self._own_one(top)
        for path in _walk(top):
            self._own_one(path)

    def _own_one(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self._uid, self._gid)


def _walk(top: Path) -> Iterator[Path]:
    return top.rglob("*")


def _greets(port: int) -> bool:
    """Whether a server there has got as far as saying hello, and not just taken the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            return probe.recv(4) == b"* OK"
    except OSError:
        return False


def _literally(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)
