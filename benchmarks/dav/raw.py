"""The least that a CalDAV client can send, over one kept connection: what the server itself takes."""

import http.client
import re
from base64 import b64encode
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from benchmarks.dav.servers import Collection
from benchmarks.harness import WrongResult

MULTISTATUS = 207
SYNC = (
    '<?xml version="1.0"?><D:sync-collection xmlns:D="DAV:"><D:sync-token>{}</D:sync-token>'
    "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
)
ETAGS = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
MULTIGET = (
    '<?xml version="1.0"?><C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
    "<D:prop><D:getetag/><C:calendar-data/></D:prop>{}</C:calendar-multiget>"
)
BATCH = 200  # items of one request, as the product asks for them
ITEM = re.compile(rb"<(?:\w+:)?href[^>]*>([^<]+\.ics)<")
TOKEN = re.compile(rb"<(?:\w+:)?sync-token[^>]*>([^<]+)<")


class RawDav:
    """A context manager."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        pair = f"{collection.account.username}:{collection.account.password}".encode()
        self._login = {"Authorization": f"Basic {b64encode(pair).decode()}"}
        self._connection = http.client.HTTPConnection("127.0.0.1", collection.port, timeout=300)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def sync(self, token: str) -> str:
        """One sync-collection request since `token`; returns the next one."""
        return _token(self._ask("REPORT", SYNC.format(token), Depth="0"))

    def read(self, token: str, *, items: int) -> str:
        """As `sync`, and asks for the items that it lists; raises WrongResult where these are not so many."""
        listed = self._ask("REPORT", SYNC.format(token), Depth="0")
        refs = [found.decode() for found in ITEM.findall(listed)]
        if len(refs) != items:
            raise WrongResult(f"the server lists {len(refs)} items instead of {items}")
        for start in range(0, len(refs), BATCH):
            wanted = "".join(f"<D:href>{ref}</D:href>" for ref in refs[start : start + BATCH])
            self._ask("REPORT", MULTIGET.format(wanted), Depth="0")
        return _token(listed)

    def etags(self) -> None:
        """Asks for every version: makes the server read what changed behind its back."""
        self._ask("PROPFIND", ETAGS, Depth="1")

    def put(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Writes new resources, one after the other, each unless it is there."""
        headers = {"Content-Type": "text/calendar; charset=utf-8", "If-None-Match": "*", **self._login}
        for name, text in files:
            self._connection.request("PUT", self._collection.path + name, text, headers)
            answer = self._connection.getresponse()
            answer.read()
            if answer.status not in {201, 204}:
                raise WrongResult(f"the server answered a PUT with {answer.status}")

    def _ask(self, method: str, body: str, **headers: str) -> bytes:
        sent = {"Content-Type": "application/xml; charset=utf-8", **self._login, **headers}
        self._connection.request(method, self._collection.path, body.encode(), sent)
        answer = self._connection.getresponse()
        found = answer.read()
        if answer.status != MULTISTATUS:
            raise WrongResult(f"the server answered a {method} with {answer.status}")
        return found


def _token(listed: bytes) -> str:
    found = TOKEN.search(listed)
    if found is None:
        raise WrongResult("the server names no sync-token")
    return found[1].decode()
