"""Taking out of the CRM what present contacts, exclusions and own addresses would not log any more.

What is logged is judged again by its stored addresses and the folders that hold it. Header fields are not
stored: an exclusion that asks for one says nothing of mail that is logged already. Age is no reason.
"""

from collections import ChainMap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectors.model import Address, Envelope, FolderRole
from store import attendance_rows, kept_contents, meeting_rows
from store import directory as store_directory
from store import forget as rows
from store.blobs import BlobStore
from store.database import Database, Transaction
from store.errors import Invalid
from store.forget import Forgotten, LoggedMail, Match, Place, Removal
from store.mail import MatchRule
from store.mail_log import MatchRow
from store.sync_state import VerdictKind
from syncd.core.directory import Directory, Target
from syncd.core.identity import KeyedHash
from syncd.core.matching import Decision, Link, Policy, Seen, Verdict, decide
from syncd.engine.batch import KINDS
from syncd.engine.forget_calls import calls_of, erase
from syncd.engine.known import build

LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
TRIES = 5


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for: exactly one of these."""

    addresses: tuple[str, ...] = ()
    contact_id: int | None = None
    excluded: bool = False  # what exclusions and own addresses keep out now
    number: str = ""  # of calls
    name: str = ""  # of somebody who was in meetings, and is known by nothing else

    @property
    def because(self) -> str:
        """For the audit log: without content."""
        if self.contact_id is not None:
            return f"contact {self.contact_id}"
        if self.excluded:
            return "exclusions and own addresses"
        return "number" if self.number else "name" if self.name else "address"

    def covers(self, match: Match) -> bool:
        """Whether the match is among those that were asked about."""
        if match.rule is MatchRule.THREAD:
            return self.excluded
        if self.contact_id is not None:
            return match.contact_id == self.contact_id
        return self.excluded or match.address in self.addresses


@dataclass(frozen=True, slots=True)
class Preview:
    """What `syncd forget` would do."""

    mails: tuple[LoggedMail, ...]  # would go
    verdicts: dict[Place, tuple[VerdictKind, str | None]]
    losing: tuple[LoggedMail, ...]  # would stay at fewer accounts or for another reason
    reports: int = 0  # attendance reports that would name them no more
    calls: int = 0  # would go, with what was reported on them


class Forgetting:
    """Forgets, for one installation."""

    def __init__(
        self, database: Database, blobs: BlobStore, hashed: KeyedHash, policy: Policy, country: str
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._hashed = hashed
        self._country = country  # of telephone numbers that name none
        # Age is no reason to forget; and whoever was a reason among the recipients stays one.
        self._policy = replace(policy, since=LONG_AGO)
        self._lenient = replace(self._policy, match_all_recipients=True)

    def preview(self, selection: Selection) -> Preview:
        """What would go. Writes nothing."""
        with self._database.read() as session:
            removal = self._plan(session, selection)
            named = (removal.addresses, removal.contact_id, removal.names)
            reports = attendance_rows.mentions(session, *named)
        mails, losing = tuple(removal.mails.values()), tuple(removal.losing.values())
        return Preview(mails, removal.verdicts, losing, reports, len(removal.calls))

    def carry_out(self, selection: Selection, now: datetime, *, actor: str) -> Forgotten:
        """Removes it. A kill at any point leaves no attachment without a row and no row without one."""
        for _ in range(TRIES):
            with self._database.read() as session:
                hashes = kept_contents.contents(session, self._plan(session, selection).mails)
            done: list[Forgotten] = []

            def commit(expected: set[str] = hashes, done: list[Forgotten] = done) -> set[str]:
                with self._database.write() as session:
                    meeting_rows.alone(session)  # before any other lock
                    store_directory.state(session, lock=True)  # no mail is logged meanwhile
                    removal = self._plan(session, selection)
                    if not kept_contents.contents(session, removal.mails) <= expected:
                        return expected  # more came in: plan again
                    erase(session, removal.calls, now)
                    gone = rows.apply(
                        session,
                        removal,
                        self._keys(removal),
                        now,
                        actor=actor,
                        because=selection.because,
                    )
                    done.append(gone)
                    return kept_contents.referenced(session, expected)

            self._blobs.discard(hashes, commit)
            if done:
                return done[0]
        raise Invalid("mail kept coming in: try again")

    # --- judging --------------------------------------------------------------------------------

    def _plan(self, session: Transaction, selection: Selection) -> Removal:
        directory = build(store_directory.snapshot(session))
        removal = Removal()
        touched: dict[int, LoggedMail] = {}
        dropped: set[int] = set()
        for page in rows.mails(session, _which(selection)):
            for mail in page:
                gone = self._weigh(mail, selection, directory, removal)
                if gone:
                    dropped |= gone
                    touched[mail.id] = mail
        self._follow_threads(session, touched, dropped)
        self._settle(session, touched, dropped, directory, removal)
        removal.matches = sorted(dropped)
        removal.addresses, removal.contact_id = rows.people_in_reports(
            session, selection.addresses, selection.contact_id
        )
        removal.names = frozenset({selection.name} if selection.name else ())
        numbers = (selection.number,) if selection.number else ()
        removal.calls = calls_of(session, removal.contact_id, numbers, self._country)
        return removal

    def _weigh(
        self, mail: LoggedMail, selection: Selection, directory: Directory, removal: Removal
    ) -> set[int]:
        """Which of the mail's matches do not hold any more; notes those that hold by another address."""
        seen = directory if not selection.excluded else _as_it_was(mail, directory)
        links = _links(_decisions(mail, seen, self._lenient))
        gone = set()
        for match in mail.matches:
            if not selection.covers(match) or match.rule is MatchRule.THREAD:
                continue
            link = links.get((match.account_id, match.contact_id))
            if link is None:
                gone.add(match.id)
            elif link.address != match.address and not selection.excluded:
                removal.amended[match.id] = (MatchRule[link.rule.name], link.address)
        if selection.excluded and not gone:
            gone |= self._excluded_from_thread(mail, directory)
        return gone

    def _excluded_from_thread(self, mail: LoggedMail, directory: Directory) -> set[int]:
        """Matches by a thread, of a message that an exclusion covers or that is internal now."""
        if any(match.rule is not MatchRule.THREAD for match in mail.matches):
            return set()
        accounts = tuple(match.account_id for match in mail.matches)
        policy = replace(self._lenient, follow_threads=True)
        decisions = _decisions(mail, directory, policy, accounts)
        if any(decision.verdict is Verdict.LOGGED for decision in decisions.values()):
            return set()
        return {match.id for match in mail.matches}

    def _follow_threads(
        self, session: Transaction, touched: dict[int, LoggedMail], dropped: set[int]
    ) -> None:
        """What stood somewhere only because its thread did goes with the last real reason of the thread."""
        every = rows.thread_matches(session, (mail.thread_key for mail in touched.values()))
        support = {
            (thread, account)
            for thread, _, match, account, rule in every
            if rule is not MatchRule.THREAD and match not in dropped
        }
        more: dict[int, set[int]] = {}
        for thread, email, match, account, rule in every:
            if rule is MatchRule.THREAD and (thread, account) not in support and match not in dropped:
                more.setdefault(email, set()).add(match)
        for mail in rows.load(session, sorted(more.keys() - touched.keys())):
            touched[mail.id] = mail
        for matches in more.values():
            dropped |= matches

    def _settle(
        self,
        session: Transaction,
        touched: dict[int, LoggedMail],
        dropped: set[int],
        directory: Directory,
        removal: Removal,
    ) -> None:
        """What becomes of the mails that lose matches: they stay, stay for another reason, or go."""
        threads = self._supported(session, touched, dropped) if self._policy.follow_threads else {}
        for mail in touched.values():
            if any(match.id not in dropped for match in mail.matches):
                removal.losing[mail.id] = mail
                continue
            accounts = threads.get(mail.thread_key, ())
            decisions = _decisions(mail, directory, self._policy, accounts)
            links = _links(decisions)
            if links and mail.users:
                removal.losing[mail.id] = mail
                removal.added[mail.id] = tuple(
                    MatchRow(k.account_id, k.contact_id, MatchRule[k.rule.name], k.address)
                    for k in links.values()
                )
                continue
            removal.mails[mail.id] = mail
            for place in mail.places:
                decision = decisions[place]
                logged = decision.verdict is Verdict.LOGGED
                kind = VerdictKind.NO_CONTACT if logged else KINDS[decision.verdict]
                removal.verdicts[place] = (kind, decision.reason)

    def _supported(
        self, session: Transaction, touched: dict[int, LoggedMail], dropped: set[int]
    ) -> dict[str, tuple[int, ...]]:
        found: dict[str, dict[int, None]] = {}
        for thread, _, match, account, rule in rows.thread_matches(
            session, (mail.thread_key for mail in touched.values())
        ):
            if rule is not MatchRule.THREAD and match not in dropped:
                found.setdefault(thread, {})[account] = None
        return {thread: tuple(accounts) for thread, accounts in found.items()}

    def _keys(self, removal: Removal) -> Iterable[int]:
        """The keys by which the ledger knows that these addresses were searched for already."""
        gone = set(removal.matches)
        keys = set()
        for mail in (*removal.mails.values(), *removal.losing.values()):
            for match in mail.matches:
                if match.id in gone and match.address:
                    keys.add(self._hashed.target(match.address, match.account_id, match.contact_id))
        return keys


def _which(selection: Selection) -> rows.Condition:
    if selection.contact_id is not None:
        return rows.by_contact(selection.contact_id)
    return rows.all_mails() if selection.excluded else rows.by_addresses(selection.addresses)


def _as_it_was(mail: LoggedMail, directory: Directory) -> Directory:
    """The directory with this mail's own reasons in it: what is missing then is missing for a rule's sake."""
    former: dict[str, tuple[Target, ...]] = {}
    for match in mail.matches:
        if match.address:
            known = former.get(match.address, directory.contacts.get(match.address, ()))
            former[match.address] = (*known, Target(match.account_id, match.contact_id))
    return replace(directory, contacts=ChainMap(former, _contacts_of(directory)))


def _contacts_of(directory: Directory) -> dict[str, tuple[Target, ...]]:
    """The contacts as a dictionary; no copy where it is one already."""
    contacts = directory.contacts
    return contacts if isinstance(contacts, dict) else dict(contacts)


def _decisions(
    mail: LoggedMail, directory: Directory, policy: Policy, thread_accounts: Sequence[int] = ()
) -> dict[Place, Decision]:
    """The verdict on the mail in each folder that holds it; in none, if it is on no server any more."""
    envelope = Envelope(
        message_id=mail.message_id,
        date=mail.date,
        subject=mail.subject,
        sender=_addresses(mail.from_),
        reply_to=_addresses(mail.reply_to),
        to=_addresses(mail.to),
        cc=_addresses(mail.cc),
        bcc=_addresses(mail.bcc),
        in_reply_to=(),
        references=(),
    )
    places = mail.places or (Place(0, 0, "", FolderRole.OTHER.value),)
    return {
        place: decide(
            Seen(
                envelope,
                place.folder,
                FolderRole(place.role),
                mail.date,
                frozenset(),
                tuple(thread_accounts),
            ),
            directory,
            policy,
        )
        for place in places
    }


def _links(decisions: dict[Place, Decision]) -> dict[tuple[int, int | None], Link]:
    found: dict[tuple[int, int | None], Link] = {}
    for decision in decisions.values():
        for link in decision.links:
            found.setdefault((link.account_id, link.contact_id), link)
    return found


def _addresses(emails: Iterable[str]) -> tuple[Address, ...]:
    return tuple(Address(email) for email in emails)
