"""The benchmark's mailbox is the same each time, and what it says of itself is true."""

import email
import hashlib
from email import policy
from email.message import Message
from email.utils import getaddresses
from pathlib import Path

import pytest

from benchmarks.author import Kind
from benchmarks.corpus import SENT, Corpus, contacts_for, generate, matching

USER = "claire@acme.example"
COUNT = 500


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return generate(tmp_path_factory.mktemp("corpus") / "mail", messages=COUNT, seed=7, user=USER)


def _fingerprint(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(directory)} {path.stat().st_mtime_ns}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _parsed(corpus: Corpus) -> list[Message]:
    return [email.message_from_bytes(mail.path.read_bytes(), policy=policy.compat32) for mail in corpus.mails]


def _addresses(message: Message, *fields: str) -> set[str]:
    values = [str(value) for field in fields for value in message.get_all(field, [])]
    return {address for _, address in getaddresses(values)}


def test_the_same_seed_writes_the_same_bytes(corpus: Corpus, tmp_path: Path) -> None:
    again = generate(tmp_path / "mail", messages=COUNT, seed=7, user=USER)
    assert _fingerprint(again.directory) == _fingerprint(corpus.directory)


def test_another_seed_writes_another_mailbox(corpus: Corpus, tmp_path: Path) -> None:
    other = generate(tmp_path / "mail", messages=COUNT, seed=8, user=USER)
    assert _fingerprint(other.directory) != _fingerprint(corpus.directory)


def test_a_mailbox_is_not_written_over(corpus: Corpus) -> None:
    with pytest.raises(FileExistsError):
        generate(corpus.directory, messages=1, seed=7, user=USER)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.33, 0.5, 1.0])
def test_the_chosen_share_of_the_messages_matches(corpus: Corpus, share: float) -> None:
    contacts = set(contacts_for(corpus, share))
    # Counted from the messages themselves by table T5: To and Cc of what the user sent, From of the rest.
    matches = 0
    for message in _parsed(corpus):
        sent = USER in _addresses(message, "From")
        counterparts = _addresses(message, *(["To", "Cc"] if sent else ["From", "Reply-To"]))
        matches += bool(counterparts & contacts)
    assert abs(matches / COUNT - share) <= 0.002
    assert len(matching(corpus, list(contacts))) == matches


def test_every_message_parses_without_a_defect_and_decodes(corpus: Corpus) -> None:
    for message in _parsed(corpus):
        for part in message.walk():
            assert not part.defects
            if part.get_content_maintype() == "text":
                payload = part.get_payload(decode=True)
                assert isinstance(payload, bytes)
                assert payload.decode(part.get_content_charset("us-ascii")).strip()


def test_the_facts_of_each_message_are_those_of_its_file(corpus: Corpus) -> None:
    for mail, message in zip(corpus.mails, _parsed(corpus), strict=True):
        assert mail.size == mail.path.stat().st_size
        assert message["Message-ID"] == f"<{mail.message_id}>"
        assert (USER in _addresses(message, "From")) == (mail.folder == SENT)
        files = [part for part in message.walk() if part.get_content_disposition()]
        assert len(files) == mail.files
    assert len({mail.message_id for mail in corpus.mails}) == COUNT


def test_a_reply_names_messages_that_exist(corpus: Corpus) -> None:
    known = {f"<{mail.message_id}>" for mail in corpus.mails}
    replies = [message for message in _parsed(corpus) if message["In-Reply-To"]]
    assert len(replies) > COUNT / 10
    for message in replies:
        references = str(message["References"]).split()
        assert known.issuperset(references)
        assert references[-1] == message["In-Reply-To"]


def test_the_mailbox_holds_every_kind_of_message(corpus: Corpus) -> None:
    messages = _parsed(corpus)
    types = {part.get_content_type() for message in messages for part in message.walk()}
    encodings = {part["Content-Transfer-Encoding"] for message in messages for part in message.walk()}
    charsets = {part.get_content_charset() for message in messages for part in message.walk()}
    headers = b"".join(mail.path.read_bytes().partition(b"\n\n")[0] for mail in corpus.mails)
    assert {"text/plain", "text/html", "multipart/alternative", "multipart/mixed"} <= types
    assert {"application/pdf", "image/png", "multipart/related"} <= types
    assert {"quoted-printable", "base64", "7bit", "8bit"} <= encodings
    assert {"us-ascii", "utf-8", "iso-8859-1", "windows-1252"} <= charsets
    assert b"?q?" in headers
    assert b"?b?" in headers
    assert not headers.isascii()  # some accents are not encoded at all
    assert {mail.kind for mail in corpus.mails} == set(Kind)
    assert 0.1 < sum(mail.files > 0 for mail in corpus.mails) / COUNT < 0.2


def test_some_files_come_more_than_once(corpus: Corpus) -> None:
    parts = [part for message in _parsed(corpus) for part in message.walk() if part.get_content_disposition()]
    contents = [part.get_payload(decode=True) for part in parts]
    assert len(set(contents)) < len(contents)


def test_a_newsletter_says_how_to_leave(corpus: Corpus) -> None:
    for mail, message in zip(corpus.mails, _parsed(corpus), strict=True):
        assert ("List-Unsubscribe" in message) == (mail.kind is Kind.NEWSLETTER)
