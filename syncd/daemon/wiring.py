"""Joins config, store, connectors and engine. The only module that names concrete connectors."""

import os
import secrets
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeVar

from config.load import load
from config.secrets import read_secret
from config.settings import Mailbox, OAuth2, Settings
from connectors.imap.access import ImapAccess
from connectors.imap.auth import Password, Token
from connectors.imap.client import ImapConnector
from connectors.protocol import CalendarConnector, Connector, MailConnector
from connectors.tokens import TokenSource
from store import mailboxes
from store.blobs import BlobStore
from store.database import Database
from store.errors import Stale, StoreError
from store.leases import Leases
from syncd.core.identity import KeyedHash
from syncd.core.matching import Exclusion, Policy
from syncd.daemon import advice
from syncd.daemon.calendars import calendar_rules, calendars_of
from syncd.daemon.clock import now
from syncd.daemon.config_rows import mailbox_rows, user_rows
from syncd.daemon.connections import Kept, OneShot
from syncd.daemon.crm import follows, logo_sync, matrix, status_sync
from syncd.daemon.exchange import Exchange
from syncd.daemon.listened import Listened
from syncd.daemon.meetings import dropping, meeting_rules
from syncd.daemon.push import Push
from syncd.daemon.tokens import RotatedTokens
from syncd.engine.calendar.occasion import instance_of
from syncd.engine.calendar.people import People
from syncd.engine.calendar.sync import CalendarSync
from syncd.engine.content import Limits
from syncd.engine.drafting import Drafting
from syncd.engine.mail import MailRules, MailSync
from syncd.engine.meetings.messages import Messages
from syncd.engine.meetings.replies import Replies
from syncd.engine.meetings.sync import MeetingSync
from syncd.engine.positions import Positions
from syncd.engine.retention import Retention, logged_since
from syncd.engine.supervise import Calendars, Connections, Heartbeat, Supervisor

if TYPE_CHECKING:
    from connectors.dav import access as dav

C = TypeVar("C", bound=Connector)
SECRET_BYTES = 32
TRIES = 5  # of writing down what the config says, against others who do the same
EWS_SCOPES = {
    "refresh": "https://outlook.office.com/EWS.AccessAsUser.All",
    "client-credentials": "https://outlook.office365.com/.default",
}


class Installation:
    """One installed `syncd`: everything that its config file names, opened."""

    def __init__(self, settings: Settings, *, keep: bool, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.environ = environ
        self.folder = settings.store_dir()
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"the state folder {self.folder} cannot be made: {error.strerror}") from error
        self.database = Database(
            settings.store.url.get_secret_value(),
            busy_timeout=settings.store.busy_timeout,
            pool_size=settings.schedule.workers + 4,
        )
        self.database.rights = matrix(settings)
        self.blobs = BlobStore(self.folder / "attachments")
        self.leases = Leases(self.database, self.folder / "locks")
        self.hashed = KeyedHash(_hash_key(self.folder / "hash.key"))
        self.mail = MailSync(self.database, self.blobs, self.hashed, mail_rules(settings, self.hashed))
        self.calendars = CalendarSync(self.database, self.mail.known, calendar_rules(settings, self.hashed))
        meetings = meeting_rules(settings, self.hashed)
        self.meetings = MeetingSync(self.database, self.people, meetings)
        self.mail.replies = Replies(self.database, meetings.workplace)
        if meetings.forms.by_mail:
            self.mail.messages = Messages(self.database, meetings.forms, self.hashed)
        self.mail.drafting = Drafting(self.database, instance_of(self.hashed))
        self.recommending = advice.recommending(settings, self.database)
        folders = advice.folders(settings, self.database, self.recommending)
        self.dropping = dropping(settings, self.hashed, self.database, self.people, folders)
        self.retention = Retention(
            self.database, self.blobs, settings.mail.retention, settings.workspace.timezone
        )
        self.positions = Positions(self.database, settings.checkin.retention, settings.workspace.timezone)
        self.statuses = status_sync(settings, self.database, self.hashed, self.people)
        self.logos = logo_sync(settings, self.database, self.leases)
        self.follows = follows(settings, self.statuses, self.recommending)
        self.connections: Connections[MailConnector] = _open(self.connect, keep=keep)
        self.calendar_connections: Connections[CalendarConnector] = _open(self.connect_calendars, keep=keep)
        self._exchange = Exchange(
            settings,
            self.database,
            self.folder,
            self._source_of,
            lambda ref: read_secret(ref, environ=environ),
        )
        self.push = Push(settings, self._imap_access, self._exchange.access)
        self.listened = Listened(self.folder / "listened")
        self._tokens: dict[str, TokenSource] = {}
        self.rotated = RotatedTokens(self.folder / "tokens", self.hashed)
        seen = self.folder / "seen"
        seen.mkdir(exist_ok=True, mode=0o700)
        self.heartbeat = Heartbeat(seen)
        boxes = {box.name: box for box in settings.mailboxes}
        self.supervisor = Supervisor(
            database=self.database,
            leases=self.leases,
            mail=self.mail,
            connections=self.connections,
            calendars=Calendars(
                self.calendars, self.calendar_connections, lambda name: calendars_of(settings.mailbox(name))
            ),
            heartbeat=self.heartbeat,
            credentials=self.credentials,
            folders=lambda name: boxes[name].mail_folders,
            on_stop=self.forget,
            wants_mail=lambda name: "mail" in boxes[name].sync,
        )

    @classmethod
    def open(cls, config: Path, *, keep: bool = False, environ: Mapping[str, str] = os.environ) -> Self:
        """Loads the config, checks the database and writes users and mailboxes into it.

        `keep` keeps connections open between cycles (the daemon). Raises ConfigError or StoreError.
        """
        installation = cls(load(config, environ=environ), keep=keep, environ=environ)
        try:
            installation.database.check_schema()
            installation.apply_config()
        except BaseException:
            installation.close()
            raise
        return installation

    def people(self) -> People:
        """The addresses of the CRM as they are now."""
        return People(self.mail.known.directory())

    def apply_config(self) -> None:
        """Makes the tables of users and mailboxes say what the config says. Other processes may be doing the
        same at this moment, as when all of them are started together."""
        for _ in range(TRIES - 1):
            with suppress(Stale):
                return self._apply_config()
        return self._apply_config()

    def _apply_config(self) -> None:
        users, boxes = user_rows(self.settings), mailbox_rows(self.settings)
        with self.database.read() as session:
            current = mailboxes.matches_config(session, users, boxes)
        if not current:
            with self.database.write() as session:
                mailboxes.apply_config(session, users, boxes, now())

    def close(self) -> None:
        """Closes connections to mailboxes and to the database."""
        for connections in (self.connections, self.calendar_connections):
            if isinstance(connections, Kept):
                connections.close()
        self.database.close()

    def connect(self, name: str) -> MailConnector:
        """A connector for the mailbox, not yet entered. Raises SecretError."""
        return self.connector(self.settings.mailbox(name))

    def connector(self, mailbox: Mailbox) -> MailConnector:
        """A connector for the mailbox, not yet entered. Raises SecretError."""
        if self.settings.servers[mailbox.server].imap is None:
            return self._exchange.mail(mailbox)
        return ImapConnector(self._imap_access(mailbox))

    def _imap_access(self, mailbox: Mailbox) -> ImapAccess:
        server = self.settings.imap_of(mailbox)
        return ImapAccess(
            host=server.host,
            port=server.port,
            security=server.security,
            ca_file=server.ca_file,
            timeout=server.timeout,
            username=mailbox.username,
            auth=self._auth(mailbox, server.auth),
            spool_dir=self.folder / "spool",
        )

    def connect_calendars(self, name: str) -> CalendarConnector:
        """A connector for the mailbox's calendars, not yet entered. Raises SecretError."""
        return self.calendar_connector(self.settings.mailbox(name))

    def calendar_connector(self, mailbox: Mailbox) -> CalendarConnector:
        """A connector for the mailbox's calendars, not yet entered. Raises SecretError."""
        if self.settings.servers[mailbox.server].caldav is None:
            return self._exchange.calendars(mailbox)
        from connectors.dav.access import DavAccess  # brings an HTTP client with it
        from connectors.dav.client import DavConnector

        server = self.settings.caldav_of(mailbox)
        return DavConnector(
            DavAccess(
                url=server.url,
                username=mailbox.username,
                auth=self._dav_auth(mailbox, server.auth),
                ca_file=server.ca_file,
                timeout=server.timeout,
            )
        )

    def _dav_auth(
        self, mailbox: Mailbox, scheme: Literal["auto", "basic", "digest"]
    ) -> "dav.Password | dav.Token":
        from connectors.dav import access as dav

        ref = mailbox.password
        if ref is None:
            return dav.Token(self._source_of(mailbox))
        return dav.Password(lambda: read_secret(ref, environ=self.environ), scheme)

    def credentials(self, name: str) -> str:
        """A keyed hash of what the mailbox logs in with: tells whether a person changed it."""
        mailbox = self.settings.mailbox(name)
        server = self.settings.servers[mailbox.server]
        parts = [mailbox.username]
        if server.ews is not None:
            parts += [server.ews.url, mailbox.access, self.settings.address_of(mailbox)]
        if server.imap is not None:
            parts += [server.imap.host, str(server.imap.port)]
        if server.caldav is not None:
            parts.append(server.caldav.url)
        if mailbox.password is not None:
            parts.append(read_secret(mailbox.password, environ=self.environ))
        if mailbox.oauth2 is not None:
            oauth2 = mailbox.oauth2
            parts += [oauth2.client_id, oauth2.tenant, oauth2.token_url or "", *oauth2.scopes]
            parts += [
                read_secret(ref, environ=self.environ)
                for ref in (oauth2.client_secret, oauth2.refresh_token)
                if ref is not None
            ]
        return self.hashed.text("\0".join(parts))

    def _auth(self, mailbox: Mailbox, mechanism: str) -> Password | Token:
        if mailbox.oauth2 is None:
            ref = mailbox.password
            if ref is None:
                raise AssertionError("a mailbox has a password or oauth2: checked on loading")
            return Password(
                lambda: read_secret(ref, environ=self.environ), "plain" if mechanism == "plain" else "login"
            )
        return Token(self._source_of(mailbox), mailbox.oauth2.mechanism)

    def _source_of(self, mailbox: Mailbox) -> TokenSource:
        """Where the mailbox's tokens come from: one for mail and calendars, so that each is renewed once."""
        source = self._tokens.get(mailbox.name)
        if source is None:
            if mailbox.oauth2 is None:
                raise AssertionError("a mailbox has a password or oauth2: checked on loading")
            source = self._tokens[mailbox.name] = self._token_source(
                mailbox.name, self._scoped(mailbox, mailbox.oauth2), self.settings.address_of(mailbox)
            )
        return source

    def _scoped(self, mailbox: Mailbox, oauth2: OAuth2) -> OAuth2:
        """What an Exchange mailbox asks for by default is not what one over IMAP does."""
        server = self.settings.servers[mailbox.server]
        if oauth2.scopes or oauth2.provider != "microsoft" or server.ews is None or server.imap is not None:
            return oauth2
        return oauth2.model_copy(update={"scopes": (EWS_SCOPES[oauth2.flow],)})

    def _token_source(self, name: str, oauth2: OAuth2, username: str) -> TokenSource:
        from connectors.oauth import tokens  # brings an HTTP client with it: only where it is used

        secret, refresh = oauth2.client_secret, oauth2.refresh_token

        def configured() -> str:
            if refresh is None:
                raise AssertionError("asked for with a refresh token only")
            return read_secret(refresh, environ=self.environ)

        return tokens(
            oauth2,
            who=username,
            client_secret=None if secret is None else lambda: read_secret(secret, environ=self.environ),
            refresh_token=None if refresh is None else lambda: self.rotated.current(name, configured()),
            on_rotate=lambda fresh: self.rotated.keep(name, configured(), fresh),
        )

    def forget(self, name: str) -> None:
        """Forgets the tokens held for a mailbox (R109)."""
        self._tokens.pop(name, None)
        self.rotated.forget(name)


def _open(connect: Callable[[str], C], *, keep: bool) -> Kept[C] | OneShot[C]:
    return Kept(connect) if keep else OneShot(connect)


def mail_rules(settings: Settings, hashed: KeyedHash) -> MailRules:
    """The `[mail]` section as the engine wants it."""
    mail = settings.mail
    exclusions = tuple(
        Exclusion(number, rule.address, rule.domain, rule.folder, rule.subject, rule.header)
        for number, rule in enumerate(mail.exclude, start=1)
    )
    private = frozenset(keyword.casefold() for keyword in mail.private_keywords)

    def policy(moment: datetime) -> Policy:
        return Policy(
            since=logged_since(mail.since, mail.retention, moment, settings.workspace.timezone),
            exclusions=exclusions,
            private_keywords=private,
            match_all_recipients=mail.match_all_recipients,
            match_domains=mail.match_domains,
            follow_threads=mail.follow_threads,
        )

    # Whatever a verdict depends on: where it changes, what rules kept out is judged again.
    facts = (mail.since, exclusions, sorted(private), mail.match_all_recipients, mail.match_domains,
             mail.follow_threads, sorted(settings.own_addresses()),
             *([] if mail.retention is None else [mail.retention]))  # fmt: skip
    return MailRules(
        policy=policy,
        policy_hash=hashed.text(repr(facts)),
        limits=Limits(mail.max_attachment, mail.min_inline_image),
    )


def _hash_key(path: Path) -> bytes:
    """The secret of the ledger's hashes, made at first use; readable by its owner only."""
    with suppress(FileNotFoundError):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise StoreError(f"{path} can be read by others: `chmod 600 {path}`")
        key = path.read_bytes()
        if len(key) != SECRET_BYTES:
            raise StoreError(
                f"{path} is damaged: put it back from a backup (it must have {SECRET_BYTES} bytes)"
            )
        return key
    fresh = path.with_suffix(f".{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # of two processes that start at once, one wins
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_bytes()
