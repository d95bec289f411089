"""`make demo`: private servers, a small company's mail and calendars, a CRM, and what syncd makes of them.

Everything lies in `.demo` of the checkout, made anew each time; needs no root and no network. The mail
server is pymap, the calendar server Radicale, both on loopback, with passwords made up for this run; they
end with the demo.

    python -m tools.demo          the demo
    python -m tools.demo serve    the servers again, with what the last demo left, until Ctrl-C
"""

import imaplib
import json
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from pysasl.hashing import BuiltinHash

from syncd.cli.main import run
from tests.servers.ports import end, free_port, listening, wait_until
from tests.servers.radicale import RadicaleServer
from tools import demo_calendars, demo_meetings
from tools.demo_mailbox import Delivery, deliveries

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"

CONFIG = """\
[workspace]
name = "Acme"
timezone = "Europe/Paris"
language = "fr"

[store]
url = "sqlite:///crm.db"

[mail]
since = "90d"
exclude = [
    {{ domain = "bank.example" }},      # the bank is never a reason to log
    {{ subject = "[perso]*" }},         # what people mark as personal themselves
    {{ header = "List-Unsubscribe" }},  # newsletters
]

[servers.demo.imap]
host = "{host}"
port = {port}
security = "none"                     # accepted for this machine only; "tls" is the default

[servers.demo.caldav]
url = "{calendars}"                   # http is accepted for this machine only

[[users]]
login = "claire"
name = "Claire Dupont"
email = "claire@acme.example"

[[users]]
login = "marc"
name = "Marc Lefèvre"
email = "marc@acme.example"

[[mailboxes]]
name = "claire"
user = "claire"
server = "demo"
username = "claire"
password = {{ file = "claire.secret" }}
sync = ["mail", "calendar"]

[[mailboxes]]
name = "marc"
user = "marc"
server = "demo"
username = "marc"
password = {{ file = "marc.secret" }}
sync = ["mail", "calendar"]
"""

FILES = {
    "accounts.csv": """\
ext_id,name,type,city,country
C-001,Garage Martin,CUSTOMER,Lyon,FR
C-002,Boulangerie Petit,CUSTOMER,Nantes,FR
C-003,Northwind Ltd,CUSTOMER,Leeds,GB
C-004,Atelier Roux,CUSTOMER,Lille,FR
""",
    "contacts.csv": """\
account,last_name,first_name,email,position
Garage Martin,Martin,Paul,paul@garage-martin.example,Gérant
Boulangerie Petit,Petit,Sophie,sophie.petit@boulangerie-petit.example,Responsable des achats
Northwind Ltd,Smith,John,john.smith@northwind.example,Buyer
""",
    "opportunities.csv": """\
reference,title,account,status
OPP-2026-014,Équipement de quatre véhicules,Garage Martin,OPEN
OPP-2026-015,Second atelier,Garage Martin,OPEN
OPP-2026-021,Order 4711,Northwind Ltd,OPEN
""",
}


@dataclass(frozen=True)
class Judged:
    """A message, its place as `syncd explain` takes it, and its verdict."""

    delivery: Delivery
    place: str
    verdict: str
    meaning: str


class Demo:
    """One demo in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "syncd.toml"
        self._mail = folder / "mail"

    def prepare(self) -> dict[str, str]:
        """Makes the folder anew, as an admin would, but for the config; returns the passwords."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._mail.mkdir(parents=True, mode=0o700)
        for name, text in FILES.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        passwords = {login: secrets.token_urlsafe(18) for login in ("claire", "marc")}
        for login, password in passwords.items():
            handle = os.open(self.folder / f"{login}.secret", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(password)
        hashed = BuiltinHash()
        (self._mail / "pymap-etc-passwd").write_text(
            "".join(f"{login}:x::::{login}:\n" for login in passwords)
        )
        (self._mail / "pymap-etc-shadow").write_text(
            "".join(f"{login}:{hashed.hash(password)}:::::::\n" for login, password in passwords.items())
        )
        return passwords

    def write_config(self, port: int, calendars: str) -> None:
        """The config of an installation with two mailboxes."""
        text = CONFIG.format(host=HOST, port=port, calendars=calendars)
        self.config.write_text(text, encoding="utf-8")

    @contextmanager
    def server(self, port: int | None = None) -> Iterator[int]:
        """The mail server, for the length of the context, on that port or on any free one."""
        for _attempt in range(5):  # somebody may take a free port before the server does
            chosen = port or free_port()
            with (self.folder / "server.log").open("ab") as log:
                process = subprocess.Popen(
                    [
                        str(Path(sys.executable).with_name("pymap")),
                        *("--host", HOST, "--port", str(chosen), "--no-tls", "maildir", str(self._mail)),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            try:
                wait_until(
                    lambda process=process, chosen=chosen: process.poll() is not None or listening(chosen),  # type: ignore[misc]
                    "the mail server accepts connections",
                    30,
                )
                if process.poll() is None:
                    yield chosen
                    return
            finally:
                end(process)
        raise SystemExit(f"the mail server did not start: see {self.folder / 'server.log'}")

    @contextmanager
    def calendars(self, passwords: dict[str, str], port: int = 0) -> Iterator[RadicaleServer]:
        """The calendar server, for the length of the context, on that port or on any free one."""
        server = demo_calendars.serve(self.folder / "calendars", passwords, port)
        server.start()
        try:
            yield server
        finally:
            server.stop()

    def syncd(self, *arguments: str) -> None:
        """Runs a command as a person would, and shows what it prints. Ends the demo if it fails."""
        print(f"\n$ syncd {shlex.join(arguments)}", flush=True)
        command = [sys.executable, "-c", "from syncd.cli.main import main; main()"]
        done = subprocess.run([*command, "--config", str(self.config), *arguments], check=False, cwd=ROOT)
        if done.returncode != 0:
            raise SystemExit(f"`syncd {' '.join(arguments)}` ended with exit code {done.returncode}")

    def ask(self, *arguments: str) -> str:
        """What a command prints. In this process: asking 26 times takes a second, not ten."""
        with redirect_stdout(StringIO()) as out:
            code = run(["--config", str(self.config), *arguments])
        if code != 0:
            raise SystemExit(f"`syncd {' '.join(arguments)}` ended with exit code {code}")
        return out.getvalue()


def deliver(port: int, passwords: dict[str, str], messages: Sequence[Delivery]) -> None:
    """Puts the messages into the mailboxes, as another mail client would."""
    for login, password in passwords.items():
        with imaplib.IMAP4(HOST, port, timeout=30) as client:
            client.login(login, password)
            for folder in dict.fromkeys(one.folder for one in messages if one.mailbox == login):
                client.create(folder)
            for one in messages:
                if one.mailbox == login:
                    flags = "(\\Seen)" if one.seen else ""
                    status, answer = client.append(
                        one.folder, flags, imaplib.Time2Internaldate(one.at), one.raw
                    )
                    if status != "OK":
                        raise SystemExit(f"the mail server refused a message: {answer!r}")


def verdicts(demo: Demo, messages: Sequence[Delivery]) -> list[Judged]:
    """What became of each message that syncd saw, as `syncd explain` tells."""
    uids: Counter[tuple[str, str]] = Counter()
    found = []
    for one in messages:
        uids[one.mailbox, one.folder] += 1
        if one.folder in {"INBOX", "Sent"}:
            place = f"{one.mailbox}:{one.folder}:{uids[one.mailbox, one.folder]}"
            (finding,) = json.loads(demo.ask("explain", place, "--json"))["findings"]
            found.append(Judged(one, place, finding["sighting"]["verdict"], finding["meaning"]))
    return found


def tell(heading: str, text: str = "") -> None:
    """A step of the demo."""
    print(f"\n\033[1m{heading}\033[0m" if sys.stdout.isatty() else f"\n## {heading}")
    if text:
        print(text)


def play(demo: Demo) -> None:
    """The whole demo."""
    passwords = demo.prepare()
    messages = list(deliveries(datetime.now(UTC)))
    with demo.server() as port, demo.calendars(passwords) as calendars:
        deliver(port, passwords, messages)
        agenda = demo_calendars.client(calendars, "claire", passwords["claire"], "Agenda")
        demo_calendars.client(calendars, "marc", passwords["marc"], "Agenda")
        demo.write_config(port, calendars.url)
        tell(
            "1. An installation",
            f"{len(messages)} messages wait in two mailboxes. Config, secrets and CSV files are in "
            f"{shorter(demo.folder)}.",
        )
        demo.syncd("check")
        demo.syncd("db", "upgrade")
        for what in ("accounts", "contacts", "opportunities"):
            demo.syncd("import", what, shorter(demo.folder / f"{what}.csv"))
        demo.syncd("doctor")
        tell("2. What would be logged, before anything is")
        demo.syncd("sync", "--dry-run")
        tell("3. The first synchronisation, and the proof that no message was missed")
        demo.syncd("sync")
        demo.syncd("audit")
        tell("4. What was logged")
        demo.syncd("list", "emails")
        demo.syncd("list", "activities")
        tell("5. What was not, and why")
        skipped(demo, messages)
        tell(
            "6. A stranger becomes a contact",
            "Hélène Roux has written before. Of her mail the CRM holds only keyed hashes: they find it now.",
        )
        demo.syncd(
            *("contact", "add", "--account", "Atelier Roux", "--last-name", "Roux", "--first-name", "Hélène"),
            *("--email", "helene.roux@atelier-roux.example"),
        )
        demo.syncd("sync")
        demo.syncd("list", "emails", "--account", "Atelier Roux")
        demo.syncd("audit")
        demo_calendars.meetings(demo, agenda, tell)
        demo_meetings.held(demo, agenda, ("Paul Martin", "paul@garage-martin.example"), tell)
    farewell(demo)


def skipped(demo: Demo, messages: Sequence[Delivery]) -> None:
    """A table of the skipped messages by reason, and one of them explained."""
    judged = verdicts(demo, messages)
    numbers = Counter(one.meaning for one in judged if one.verdict != "logged")
    width = max(map(len, numbers))
    for meaning, number in sorted(numbers.items()):
        print(f"{meaning:<{width}}  {number}")
        for one in judged:
            if one.meaning == meaning:
                print(f"    {one.place:<16}  {one.delivery.subject}")
    demo.syncd("explain", next(one.place for one in judged if one.verdict == "excluded"))


def shorter(path: Path) -> str:
    """The path as a person in the checkout would type it."""
    return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else str(path)


def farewell(demo: Demo) -> None:
    """What to try next. The servers are gone by now."""
    program = f".venv/bin/syncd --config {shorter(demo.config)}"
    tell("Try it yourself", "The servers have ended; what is in the CRM can be looked at without it:")
    for verb in (
        "status",
        'show account "Garage Martin"',
        "show email 1",
        "list emails --text devis",
        "list events",
        "list activities --pending",
        "conflicts --all",
        "explain '<proposal@demo.example>'",
        "--help",
    ):
        print(f"  {program} {verb}")
    print("To synchronise again, start the servers in another terminal, and then:")
    print("  .venv/bin/python -m tools.demo serve")
    for verb in ("sync", "audit", "doctor", "run"):
        print(f"  {program} {verb}")


def serve(demo: Demo) -> None:
    """The servers as the last demo left them, until Ctrl-C."""
    if not demo.config.exists():
        raise SystemExit("there is no demo yet: `make demo` makes one")
    server = tomllib.loads(demo.config.read_text("utf-8"))["servers"]["demo"]
    port, calendars = server["imap"]["port"], urlsplit(server["caldav"]["url"]).port or 0
    passwords = {login: (demo.folder / f"{login}.secret").read_text("utf-8") for login in ("claire", "marc")}
    with demo.server(port), demo.calendars(passwords, calendars):
        print(f"The servers of the demo listen on {HOST}, mail on port {port}, calendars on {calendars},"
              " until Ctrl-C.", flush=True)  # fmt: skip
        signal.pause()


def main() -> None:
    """The command line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is ended too
    os.environ.setdefault("SYNCD_LANGUAGE", "en")  # as the README tells it
    demo = Demo(Path(os.environ.get("SYNCD_DEMO", ROOT / ".demo")))
    try:
        if sys.argv[1:] == ["serve"]:
            serve(demo)
        elif sys.argv[1:]:
            raise SystemExit("usage: python -m tools.demo [serve]")
        else:
            play(demo)
    except KeyboardInterrupt:
        print()
        sys.exit(130)


if __name__ == "__main__":
    main()
