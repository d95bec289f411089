"""A directory, a policy and an envelope for tests of matching."""

from dataclasses import replace
from datetime import UTC, datetime

from connectors.model import Address, Envelope, FolderRole
from syncd.core.directory import Directory, Target
from syncd.core.matching import Decision, Policy, Seen, decide

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
SENT_AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
POLICY = Policy(since=SINCE, private_keywords=frozenset({"privé", "$private"}))

CLAIRE, ALIAS, DENIS = "claire@acme.example", "c.dupont@acme.example", "denis@acme.example"
PAUL, PAUL_HOME, PAULA = "paul@client.example", "paul@home.example", "paula@client.example"
MARTHA = "martha@other.example"
INFO = "info@client.example"
STRANGER = "someone@stranger.example"
CLIENT, OTHER = 10, 20  # accounts

DIRECTORY = Directory(
    version=1,
    own={CLAIRE: 1, ALIAS: 1, DENIS: 2},
    contacts={
        PAUL: (Target(CLIENT, 101),),
        PAUL_HOME: (Target(CLIENT, 101),),  # the same contact's second address
        PAULA: (Target(CLIENT, 102),),
        MARTHA: (Target(OTHER, 201),),
        "shared@both.example": (Target(CLIENT, 103), Target(OTHER, 202)),
    },
    accounts={INFO: (Target(CLIENT, None),), PAUL: (Target(OTHER, None),)},
    domains={"client.example": CLIENT},
)


def envelope(sender: str = PAUL, *to: str, **fields: object) -> Envelope:
    """One envelope; addresses are given as they stand after decoding."""
    made = Envelope(
        message_id="1@mail.example",
        date=SENT_AT,
        subject="Devis",
        sender=(Address(sender),) if sender else (),
        reply_to=(),
        to=tuple(map(Address, to or (CLAIRE,))),
        cc=(),
        bcc=(),
        in_reply_to=(),
        references=(),
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # the fields of an Envelope


def people(*emails: str) -> tuple[Address, ...]:
    return tuple(map(Address, emails))


def judged(
    mail: Envelope | None = None,
    policy: Policy = POLICY,
    *,
    role: FolderRole = FolderRole.INBOX,
    folder: str = "INBOX",
    keywords: frozenset[str] = frozenset(),
    received_at: datetime = SENT_AT,
    thread_accounts: tuple[int, ...] = (),
    directory: Directory = DIRECTORY,
) -> Decision:
    seen = Seen(mail or envelope(), folder, role, received_at, keywords, thread_accounts)
    return decide(seen, directory, policy)


def records(decision: Decision) -> list[tuple[int, int | None]]:
    return [(link.account_id, link.contact_id) for link in decision.links]
