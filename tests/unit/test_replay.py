"""What a benchmark recorded of a client is what it counts and sends again."""

from benchmarks.ews.recorder import Asked
from benchmarks.ews.replay import split


def _request(body: bytes) -> bytes:
    return b"POST /EWS HTTP/1.1\r\nHost: a.test\r\ncontent-length: %d\r\nAccept: */*\r\n\r\n%b" % (
        len(body),
        body,
    )


def _envelope(content: bytes) -> bytes:
    return _request(b"<s:Envelope><s:Header/>\n<s:Body>" + content + b"</s:Body></s:Envelope>")


def test_a_connection_is_cut_into_its_requests() -> None:
    requests = [_request(b"<a>\r\n\r\n</a>"), _request(b""), _request(b"POST / HTTP/1.1\r\n\r\n")]
    assert split(b"".join(requests)) == requests


def test_a_request_without_a_body_is_its_header() -> None:
    requests = [b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", _request(b"more")]
    assert split(b"".join(requests)) == requests


def test_folders_contents_and_octets_are_counted() -> None:
    sync = b'<m:SyncFolderItems><m:SyncFolderId><t:FolderId Id="%b"/></m:SyncFolderId></m:SyncFolderItems>'
    ids = b'<t:ItemId Id="1"/><t:ItemId Id="2"/>'
    whole = b'<m:GetItem><t:FieldURI FieldURI="item:MimeContent"/>' + ids + b"</m:GetItem>"
    head = b'<m:GetItem><t:FieldURI FieldURI="item:Size"/><t:ItemId Id="3"/></m:GetItem>'
    requests = tuple(_envelope(one) for one in (sync % b"x", sync % b"y", sync % b"x", head, whole))
    asked = Asked(requests)
    assert asked.folders == 2
    assert asked.contents == 2
    assert asked.octets == sum(len(one) for one in requests)
