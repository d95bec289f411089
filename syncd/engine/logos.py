"""Logos of accounts from their websites (R159): looked for beside everything else, never while an account is
written.

Each website is asked outside of any transaction; what came of it is written in one of its own, unless the
account has another website meanwhile. A failure is a reason and a later try, and no error of anything.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from store import logos
from store.actors import Actor
from store.audit_log import Channel
from store.database import Database
from store.errors import Busy
from store.leases import Leases
from store.logos import Fetching, Site

if TYPE_CHECKING:
    from connectors.web.fetch import Policy

log: structlog.stdlib.BoundLogger = structlog.get_logger()

BATCH = 20  # accounts that are chosen at a time
LEASE = " logos"  # no mailbox can be called so
LONGEST = 50.0  # seconds: the next look is a minute after this one


class LogoSync:
    """The logos of the whole CRM. `fetch` says whether they are looked for unasked."""

    def __init__(self, database: Database, leases: Leases, *, fetch: bool) -> None:
        self._database = database
        self._leases = leases
        self.fetch = fetch
        self.policy: Policy | None = None  # whom to ask; None: public addresses only
        self.halted: Callable[[], bool] = lambda: False

    def run(self, now: datetime) -> int:
        """Looks at websites whose time has come, for most of a minute; of several processes one does. Returns
        how many logos were found. Raises StoreError."""
        if not self.fetch:
            return 0
        try:
            with self._leases.lease(LEASE):
                return self._run(now)
        except Busy:
            return 0

    def _run(self, now: datetime) -> int:
        found, looked_at, until = 0, 0, monotonic() + LONGEST
        sites = self._due(now)
        while sites:
            for site in sites:
                if self.halted() or monotonic() >= until:
                    return found
                looked_at += 1
                found += self._look(site, Fetching(now))
            sites = self._due(now) if len(sites) == BATCH else ()
        if looked_at:
            log.info("looked for logos of accounts", action="logos", accounts=looked_at, found=found)
        return found

    def _due(self, now: datetime) -> Sequence[Site]:
        with self._database.read() as session:
            return logos.due(session, now, BATCH)

    def asked(self, account_id: int, actor: Actor, channel: Channel, now: datetime) -> bool:
        """Looks at the website of one account, at a person's word. Returns whether there was a logo. Raises
        NotFound, Forbidden, Invalid."""
        with self._database.write() as session:
            site = Site(account_id, logos.website(session, account_id, actor))
        return self._look(site, Fetching(now, actor.login, channel, asked=True))

    def _look(self, site: Site, how: Fetching) -> bool:
        from connectors.web import logos as web
        from connectors.web.errors import WebError
        from connectors.web.fetch import Policy
        from syncd.engine.pictures import drawn

        try:
            logo = web.find(site.website, self.policy or Policy())
        except WebError as error:
            log.debug("no logo", action="logos", account=site.account_id, reason=type(error).__name__)
            with self._database.write() as session:
                logos.failed(session, site, str(error), how, again=error.again)
            return False
        with self._database.write() as session:
            return logos.found(session, site, drawn(logo.picture), logo.source, how)
