"""Table T5: what becomes of a message. Pure; `now` is nowhere, the age limit comes in as a date-time.

Addresses arrive lower-cased. The answer names the rule that decided, so that `syncd explain` can tell.
"""

import re
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from functools import cached_property
from unicodedata import normalize

from connectors.model import Envelope, FolderRole
from syncd.core.directory import Directory, Target

SENSITIVE = frozenset({"private", "personal", "company-confidential", "confidential"})
DRAFT = "\\draft"  # Gmail's All Mail holds the drafts too; flags know no case (RFC 9051 §2.3.2)
SKIPPED_ROLES = frozenset({FolderRole.DRAFTS, FolderRole.JUNK, FolderRole.TRASH})


class Verdict(Enum):
    """What was decided. Never decided here: `QUARANTINED`, which means that reading failed, and `ERASED`."""

    LOGGED = auto()
    NO_CONTACT = auto()
    INTERNAL = auto()
    EXCLUDED = auto()
    PRIVATE = auto()
    TOO_OLD = auto()
    QUARANTINED = auto()
    ERASED = auto()


class Rule(Enum):
    """Which row of T5 found an account."""

    CONTACT = auto()  # row 5
    ACCOUNT = auto()  # row 6
    DOMAIN = auto()  # row 7
    THREAD = auto()  # mail.follow_threads


@dataclass(frozen=True, slots=True)
class Link:
    """One reason to log: this address stands for this account (and contact)."""

    account_id: int
    contact_id: int | None
    rule: Rule
    address: str  # empty for a thread


class _Pattern:
    """A pattern of the config: `*` is any text, everything else itself, case ignored.

    Matched from left to right in linear time: a stranger chooses the text, and no text may keep us busy.
    """

    def __init__(self, pattern: str) -> None:
        self._first, *rest = pattern.strip().casefold().split("*")
        self._last = rest.pop() if rest else None
        self._middle = rest

    def fullmatch(self, text: str) -> bool:
        """Whether the whole text is what the pattern says."""
        folded = text.casefold()
        if self._last is None:
            return folded == self._first
        position, end = len(self._first), len(folded) - len(self._last)
        if end < position or not folded.startswith(self._first) or not folded.endswith(self._last):
            return False
        for piece in self._middle:
            found = folded.find(piece, position, end)
            if found < 0:
                return False
            position = found + len(piece)
        return True


@dataclass(frozen=True)
class Exclusion:
    """One rule of `mail.exclude`; every part given must match."""

    number: int  # 1-based, as the admin counts them
    address: str | None = None
    domain: str | None = None
    folder: str | None = None
    subject: str | None = None
    header: str | None = None

    @property
    def about_people(self) -> bool:
        """Whether it names counterparts (never a reason to log) rather than whole messages."""
        return self.address is not None or self.domain is not None

    def covers(self, email: str) -> bool:
        """Whether the rule names this counterpart."""
        if self._address is not None and not self._address.fullmatch(email):
            return False
        domain = email.rpartition("@")[2]
        wanted = self.domain.lower().lstrip("@") if self.domain is not None else None
        return wanted is None or domain == wanted or domain.endswith("." + wanted)

    def fits_message(self, envelope: Envelope, folder: str) -> bool:
        """Whether the parts about the message (folder, subject, header) hold; true where none is given."""
        if self._folder is not None and not self._folder.fullmatch(folder):
            return False
        if self._subject is not None and not self._subject.fullmatch(envelope.subject.strip()):
            return False
        return self.header is None or self._header_fits(envelope)

    def _header_fits(self, envelope: Envelope) -> bool:
        name, colon, pattern = (self.header or "").partition(":")
        values = [value for key, value in envelope.headers if key == name.strip().lower()]
        if not colon:
            return bool(values)
        wanted = _Pattern(pattern.strip())
        return any(wanted.fullmatch(value.strip()) for value in values)

    @cached_property
    def _address(self) -> _Pattern | None:
        return None if self.address is None else _Pattern(self.address)

    @cached_property
    def _folder(self) -> _Pattern | None:
        return None if self.folder is None else _Pattern(self.folder)

    @cached_property
    def _subject(self) -> _Pattern | None:
        return None if self.subject is None else _Pattern(self.subject)


@dataclass(frozen=True)
class Policy:
    """What the admin wants logged."""

    since: datetime  # older messages are skipped
    exclusions: tuple[Exclusion, ...] = ()
    private_keywords: frozenset[str] = frozenset()  # as the admin wrote them, case ignored
    match_all_recipients: bool = False
    match_domains: bool = False
    follow_threads: bool = False

    def header_fields(self) -> tuple[str, ...]:
        """The header fields beyond the usual ones that the exclusions ask for."""
        wanted = {
            rule.header.partition(":")[0].strip() for rule in self.exclusions if rule.header is not None
        }
        return tuple(sorted(name for name in wanted if name))

    def marks_private(self, keyword: str) -> bool:
        """Whether a user who sets this keyword wants the message left alone."""
        return _keyword(keyword) in self._private

    @cached_property
    def _private(self) -> frozenset[str]:
        return frozenset(map(_keyword, self.private_keywords))


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as matching sees it."""

    envelope: Envelope
    folder: str
    role: FolderRole
    received_at: datetime
    keywords: frozenset[str]
    thread_accounts: tuple[int, ...] = ()  # accounts at which its thread is logged (follow_threads only)

    @property
    def moment(self) -> datetime:
        """When it was written, never later than it arrived; for a missing date, when it arrived."""
        date = self.envelope.date
        return self.received_at if date is None else min(date, self.received_at)


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one message and its reason."""

    verdict: Verdict
    sent: bool  # direction SENT: one of our users wrote it
    reason: str | None = None  # for people; None where the verdict says it all
    counterparts: tuple[str, ...] = ()  # whom the ledger remembers by hash
    links: tuple[Link, ...] = field(default=())


def decide(seen: Seen, directory: Directory, policy: Policy) -> Decision:
    """Table T5 from top to bottom."""
    sent = any(address.email in directory.own for address in seen.envelope.sender)
    counterparts = _counterparts(
        seen.envelope, directory.own, sent=sent, everybody=policy.match_all_recipients
    )
    verdict, reason, links = _judge(seen, counterparts, directory, policy, sent=sent)
    return Decision(verdict, sent, reason, counterparts, links)


def opportunity_for(subject: str, account_id: int, in_thread: int | None, directory: Directory) -> int | None:
    """The opportunity of an activity: one named in the subject, else the thread's, else the only open one."""
    candidates = directory.opportunities.get(account_id, ())
    for one in candidates:
        if one.reference and _mentions(subject, one.reference):
            return one.id
    if in_thread is not None:
        return in_thread
    return candidates[0].id if len(candidates) == 1 else None


def case_for(subject: str, account_id: int, in_thread: int | None, directory: Directory) -> int | None:
    """The dossier of an e-mail's activity: one whose code stands in the subject, else the thread's."""
    for one in directory.cases.get(account_id, ()) + directory.general_cases:
        if _mentions(subject, one.code):
            return one.id
    return in_thread


def _judge(
    seen: Seen, counterparts: tuple[str, ...], directory: Directory, policy: Policy, *, sent: bool
) -> tuple[Verdict, str | None, tuple[Link, ...]]:
    if seen.role in SKIPPED_ROLES:
        return Verdict.EXCLUDED, f"the folder is {seen.role.value}", ()
    if any(keyword.lower() == DRAFT for keyword in seen.keywords):
        return Verdict.EXCLUDED, "it is a draft", ()
    private = _private_mark(seen, policy)
    if private is not None:
        return Verdict.PRIVATE, private, ()
    if seen.moment < policy.since:
        return Verdict.TOO_OLD, None, ()
    if not counterparts:
        internal = sent and bool(seen.envelope.to or seen.envelope.cc or seen.envelope.bcc)
        return (Verdict.INTERNAL, None, ()) if internal else (Verdict.NO_CONTACT, "nobody is named in it", ())
    return _match(seen, counterparts, directory, policy)


def _match(
    seen: Seen, counterparts: tuple[str, ...], directory: Directory, policy: Policy
) -> tuple[Verdict, str | None, tuple[Link, ...]]:
    """The exclusions, then rows 5 to 8."""
    barred: dict[str, int] = {}
    for rule in policy.exclusions:
        if not rule.fits_message(seen.envelope, seen.folder):
            continue
        if not rule.about_people:
            return Verdict.EXCLUDED, f"mail.exclude rule {rule.number}", ()
        for email in counterparts:
            if rule.covers(email):
                barred.setdefault(email, rule.number)
    allowed = [email for email in counterparts if email not in barred]
    links = _links(allowed, directory, policy)
    if not links and policy.follow_threads and allowed:
        links = tuple(Link(account, None, Rule.THREAD, "") for account in seen.thread_accounts)
    if links:
        return Verdict.LOGGED, None, links
    # Excluded only where the rule made the difference: a stranger stays a stranger.
    if barred and (not allowed or _links(list(barred), directory, policy)):
        return Verdict.EXCLUDED, f"mail.exclude rule {min(barred.values())}", ()
    return Verdict.NO_CONTACT, None, ()


def _links(emails: list[str], directory: Directory, policy: Policy) -> tuple[Link, ...]:
    """Rows 5 to 7 for each address by itself; every record once."""
    found: dict[tuple[int, int | None], Link] = {}
    for email in emails:
        for rule, targets in _targets(email, directory, policy):
            for target in targets:
                link = Link(target.account_id, target.contact_id, rule, email)
                found.setdefault((target.account_id, target.contact_id), link)
    return tuple(found.values())


def _targets(email: str, directory: Directory, policy: Policy) -> list[tuple[Rule, tuple[Target, ...]]]:
    if email in directory.contacts:
        return [(Rule.CONTACT, directory.contacts[email])]
    if email in directory.accounts:
        return [(Rule.ACCOUNT, directory.accounts[email])]
    if policy.match_domains:
        account = directory.domains.get(email.rpartition("@")[2])
        if account is not None:
            return [(Rule.DOMAIN, (Target(account, None),))]
    return []


def _counterparts(envelope: Envelope, own: Container[str], *, sent: bool, everybody: bool) -> tuple[str, ...]:
    """Rows 3 and 4: the others in it, without own addresses, each once."""
    if sent:
        found = envelope.to + envelope.cc + envelope.bcc
    else:
        found = envelope.sender + envelope.reply_to
        if everybody:
            found += envelope.to + envelope.cc
    return tuple(dict.fromkeys(a.email for a in found if a.email and a.email not in own))


def _private_mark(seen: Seen, policy: Policy) -> str | None:
    """Why a message is private: a keyword that the user set, or the sender's Sensitivity (RFC 2156)."""
    if any(map(policy.marks_private, seen.keywords)):
        return "marked with a private keyword"
    for name, value in seen.envelope.headers:
        if name == "sensitivity" and value.strip().lower() in SENSITIVE:
            return "its Sensitivity header says so"
    return None


def _keyword(text: str) -> str:
    """A keyword as it is compared: clients differ in case and in how they spell an accent."""
    return normalize("NFC", text).casefold()


def _mentions(text: str, code: str) -> bool:
    """Whether a text holds a code as a word of its own, whatever its case."""
    if code.lower() not in text.lower():
        return False
    return re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", text, re.IGNORECASE) is not None
