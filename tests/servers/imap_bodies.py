"""Messages as an IMAP server answers them, and as a connector gives them."""

from connectors.imap.client import ImapConnector
from connectors.model import RawMessage


def bodies(connector: ImapConnector, uids: list[int]) -> dict[int, bytes | str]:
    return {
        (one.uid if isinstance(one, RawMessage) else int(one.locator)): (
            bytes(one.content) if isinstance(one, RawMessage) else str(one)
        )
        for one in connector.bodies("INBOX", uids)
    }


def fetched(uid: int, content: bytes, extra: bytes = b"") -> bytes:
    return b"* %d FETCH (UID %d%s BODY[] {%d}\r\n%s)\r\n" % (uid, uid, extra, len(content), content)
