"""Table T5, row by row, and whole threads."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.model import Envelope, FolderRole
from syncd.core.directory import Target, company_domains
from syncd.core.matching import Exclusion, Policy, Rule, Verdict
from tests.matching import (
    ALIAS,
    CLAIRE,
    CLIENT,
    DENIS,
    DIRECTORY,
    INFO,
    MARTHA,
    OTHER,
    PAUL,
    PAUL_HOME,
    PAULA,
    POLICY,
    SENT_AT,
    SINCE,
    STRANGER,
    envelope,
    judged,
    people,
    records,
)

# --- row 1 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [FolderRole.DRAFTS, FolderRole.JUNK, FolderRole.TRASH])
def test_nothing_is_logged_from_drafts_junk_and_trash(role: FolderRole) -> None:
    decision = judged(role=role)
    assert decision.verdict is Verdict.EXCLUDED
    assert role.value in str(decision.reason)


@pytest.mark.parametrize(
    "role", [FolderRole.INBOX, FolderRole.SENT, FolderRole.ALL, FolderRole.ARCHIVE, FolderRole.OTHER]
)
def test_every_other_folder_is_logged_from(role: FolderRole) -> None:
    assert judged(role=role).verdict is Verdict.LOGGED


@pytest.mark.parametrize("flag", ["\\Draft", "\\draft", "\\DRAFT"])
def test_a_draft_in_all_mail_is_not_logged(flag: str) -> None:
    decision = judged(envelope(CLAIRE, PAUL), role=FolderRole.ALL, keywords=frozenset({flag, "\\Seen"}))
    assert (decision.verdict, decision.reason) == (Verdict.EXCLUDED, "it is a draft")


def test_a_message_older_than_since_is_not_logged_and_one_of_that_moment_is() -> None:
    assert judged(envelope(date=SINCE - timedelta(seconds=1))).verdict is Verdict.TOO_OLD
    assert judged(envelope(date=SINCE)).verdict is Verdict.LOGGED


def test_a_message_without_date_is_as_old_as_its_arrival() -> None:
    undated = envelope(date=None)
    assert judged(undated, received_at=SINCE - timedelta(days=1)).verdict is Verdict.TOO_OLD
    assert judged(undated, received_at=SINCE).verdict is Verdict.LOGGED


def test_a_date_in_the_future_does_not_make_an_old_message_new() -> None:
    decision = judged(envelope(date=SINCE + timedelta(days=9000)), received_at=SINCE - timedelta(days=1))
    assert decision.verdict is Verdict.TOO_OLD


def test_an_old_message_copied_into_the_mailbox_today_is_old() -> None:
    old = envelope(date=SINCE - timedelta(days=1))
    assert judged(old, received_at=SENT_AT).verdict is Verdict.TOO_OLD


@pytest.mark.parametrize(
    "keyword", ["Privé", "PRIVÉ", "privé", "Prive\N{COMBINING ACUTE ACCENT}", "$PRIVATE"]
)
def test_a_message_that_the_user_marked_private_is_not_logged(keyword: str) -> None:
    decision = judged(keywords=frozenset({"\\Seen", keyword}))
    assert decision.verdict is Verdict.PRIVATE
    assert decision.links == ()


@pytest.mark.parametrize("keyword", ["Privée", "Prive", "Pas Privé", "\\Flagged"])
def test_another_keyword_does_not_make_a_message_private(keyword: str) -> None:
    assert judged(keywords=frozenset({keyword})).verdict is Verdict.LOGGED


@pytest.mark.parametrize("value", ["Private", "personal", " Company-Confidential ", "PRIVATE"])
def test_a_message_whose_sensitivity_says_so_is_private(value: str) -> None:
    decision = judged(envelope(headers=(("sensitivity", value),)))
    assert decision.verdict is Verdict.PRIVATE


@pytest.mark.parametrize("value", ["", "Normal", "private banking"])
def test_any_other_sensitivity_is_none(value: str) -> None:
    assert judged(envelope(headers=(("sensitivity", value),))).verdict is Verdict.LOGGED


def test_a_private_message_leaves_the_same_reason_whoever_wrote_it() -> None:
    keywords = frozenset({"Privé"})
    assert judged(envelope(STRANGER), keywords=keywords).reason == judged(keywords=keywords).reason


# --- rows 3 and 4 -------------------------------------------------------------------------------------


def test_mail_of_a_user_is_sent_and_its_recipients_count() -> None:
    mail = envelope(CLAIRE, STRANGER, cc=people(PAUL, DENIS), bcc=people(MARTHA))
    decision = judged(mail)
    assert decision.sent
    assert decision.counterparts == (STRANGER, PAUL, MARTHA)
    assert records(decision) == [(CLIENT, 101), (OTHER, 201)]


def test_mail_from_a_users_alias_is_sent() -> None:
    decision = judged(envelope(ALIAS, PAUL))
    assert decision.sent
    assert decision.counterparts == (PAUL,)


def test_in_sent_mail_a_reply_to_address_does_not_count() -> None:
    assert judged(envelope(CLAIRE, STRANGER, reply_to=people(PAUL))).verdict is Verdict.NO_CONTACT


def test_a_colleagues_mail_in_the_inbox_is_sent_mail() -> None:
    decision = judged(envelope(DENIS, CLAIRE, cc=people(PAUL)))
    assert decision.sent
    assert records(decision) == [(CLIENT, 101)]


def test_mail_of_anybody_else_is_received_and_only_its_sender_counts() -> None:
    decision = judged(envelope(STRANGER, CLAIRE, cc=people(PAUL)))
    assert not decision.sent
    assert decision.counterparts == (STRANGER,)
    assert decision.verdict is Verdict.NO_CONTACT


def test_mail_that_asks_for_answers_to_a_contact_is_logged() -> None:
    decision = judged(envelope("no-reply@forms.example", reply_to=people(PAUL)))
    assert not decision.sent
    assert records(decision) == [(CLIENT, 101)]


def test_with_match_all_recipients_the_other_recipients_count_too() -> None:
    mail = envelope(STRANGER, CLAIRE, PAULA, cc=people(MARTHA, DENIS))
    decision = judged(mail, replace(POLICY, match_all_recipients=True))
    assert decision.counterparts == (STRANGER, PAULA, MARTHA)
    assert records(decision) == [(CLIENT, 102), (OTHER, 201)]


@pytest.mark.parametrize("everybody", [False, True])
def test_mail_among_users_is_internal_and_never_logged(everybody: bool) -> None:
    own = replace(DIRECTORY, contacts={**DIRECTORY.contacts, DENIS: (Target(CLIENT, 104),)})
    policy = replace(POLICY, match_all_recipients=everybody, follow_threads=True)
    decision = judged(envelope(CLAIRE, DENIS), policy, directory=own, thread_accounts=(CLIENT,))
    assert (decision.verdict, decision.links) == (Verdict.INTERNAL, ())


def test_an_own_address_that_is_a_contact_logs_nothing() -> None:
    own = replace(
        DIRECTORY,
        contacts={CLAIRE: (Target(CLIENT, 104),), DENIS: (Target(CLIENT, 105),)},
        accounts={CLAIRE: (Target(CLIENT, None),)},
        domains={"acme.example": CLIENT},
    )
    policy = replace(POLICY, match_all_recipients=True, match_domains=True)
    for sender, to in ((STRANGER, CLAIRE), (CLAIRE, CLAIRE), (CLAIRE, STRANGER), (DENIS, CLAIRE)):
        assert judged(envelope(sender, to), policy, directory=own).links == ()


def test_a_message_that_names_nobody_is_no_contacts() -> None:
    assert judged(envelope("", CLAIRE)).verdict is Verdict.NO_CONTACT
    assert judged(envelope(CLAIRE, to=())).verdict is Verdict.NO_CONTACT


def test_an_address_that_stands_twice_counts_once() -> None:
    decision = judged(envelope(CLAIRE, PAUL, PAUL, cc=people(PAUL)))
    assert decision.counterparts == (PAUL,)
    assert len(decision.links) == 1


# --- rows 5 to 8 --------------------------------------------------------------------------------------


def test_a_contact_links_itself_and_its_account() -> None:
    (link,) = judged().links
    assert (link.account_id, link.contact_id, link.rule, link.address) == (CLIENT, 101, Rule.CONTACT, PAUL)


def test_any_address_of_a_contact_counts_and_the_contact_stands_there_once() -> None:
    assert records(judged(envelope(PAUL_HOME))) == [(CLIENT, 101)]
    assert records(judged(envelope(CLAIRE, PAUL, PAUL_HOME))) == [(CLIENT, 101)]


def test_several_contacts_are_all_linked() -> None:
    assert records(judged(envelope(CLAIRE, PAUL, PAULA))) == [(CLIENT, 101), (CLIENT, 102)]


def test_an_address_that_two_contacts_share_links_both() -> None:
    assert records(judged(envelope("shared@both.example"))) == [(CLIENT, 103), (OTHER, 202)]


def test_an_accounts_own_address_links_the_account() -> None:
    (link,) = judged(envelope(INFO)).links
    assert (link.account_id, link.contact_id, link.rule, link.address) == (CLIENT, None, Rule.ACCOUNT, INFO)


def test_an_address_of_a_contact_is_not_looked_for_among_accounts() -> None:
    assert records(judged(envelope(PAUL))) == [(CLIENT, 101)]  # though account OTHER has it too


def test_a_domain_links_its_account_only_where_that_is_wanted() -> None:
    unknown = envelope("new@client.example")
    assert judged(unknown).verdict is Verdict.NO_CONTACT
    (link,) = judged(unknown, replace(POLICY, match_domains=True)).links
    assert (link.account_id, link.contact_id, link.rule) == (CLIENT, None, Rule.DOMAIN)


def test_a_domain_does_not_count_for_an_address_that_is_known_itself() -> None:
    decision = judged(envelope(PAUL), replace(POLICY, match_domains=True))
    assert [link.rule for link in decision.links] == [Rule.CONTACT]


@pytest.mark.parametrize("address", ["a@sub.client.example", "a@xclient.example", "a@client.example.org"])
def test_a_domain_is_matched_whole(address: str) -> None:
    assert judged(envelope(address), replace(POLICY, match_domains=True)).verdict is Verdict.NO_CONTACT


def test_public_domains_and_shared_ones_belong_to_no_account() -> None:
    pairs = [
        ("gmail.com", 1),
        ("orange.fr", 1),
        ("client.example", 1),
        ("client.example", 1),
        ("group.example", 1),
        ("group.example", 2),
        ("group.example", 1),
        ("group.example", 3),
        ("", 4),
    ]
    assert company_domains(pairs) == {"client.example": 1}


def test_a_strangers_mail_is_not_logged_and_its_address_is_remembered() -> None:
    decision = judged(envelope(STRANGER))
    assert (decision.verdict, decision.reason, decision.links) == (Verdict.NO_CONTACT, None, ())
    assert decision.counterparts == (STRANGER,)


@pytest.mark.parametrize(
    ("mail", "policy"),
    [
        (envelope(date=SINCE - timedelta(1)), POLICY),
        (envelope(headers=(("sensitivity", "private"),)), POLICY),
        (envelope(), replace(POLICY, exclusions=(Exclusion(1, subject="Devis"),))),
    ],
    ids=["too old", "private", "excluded"],
)
def test_whatever_kept_a_message_out_its_counterparts_are_remembered(mail: Envelope, policy: Policy) -> None:
    assert judged(mail, policy).counterparts == (PAUL,)


# --- mail.follow_threads ------------------------------------------------------------------------------

FOLLOWING = replace(POLICY, follow_threads=True)


def test_a_strangers_mail_in_a_logged_thread_is_logged_only_where_that_is_wanted() -> None:
    assert judged(envelope(STRANGER), thread_accounts=(CLIENT,)).verdict is Verdict.NO_CONTACT
    (link,) = judged(envelope(STRANGER), FOLLOWING, thread_accounts=(CLIENT,)).links
    assert (link.account_id, link.contact_id, link.rule, link.address) == (CLIENT, None, Rule.THREAD, "")


def test_a_thread_adds_nothing_where_an_address_matches() -> None:
    assert records(judged(envelope(MARTHA), FOLLOWING, thread_accounts=(CLIENT,))) == [(OTHER, 201)]


def test_a_thread_does_not_bring_in_whom_a_rule_keeps_out() -> None:
    policy = replace(FOLLOWING, exclusions=(Exclusion(1, address=STRANGER),))
    assert judged(envelope(STRANGER), policy, thread_accounts=(CLIENT,)).verdict is Verdict.EXCLUDED
