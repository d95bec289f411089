"""Answers of Exchange written by hand, for a server that follows a script."""

import re
from collections.abc import Callable

from tests.servers.scripted_dav import Reply, Request

PATH = "/EWS/Exchange.asmx"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
_MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"


def operation(request: Request) -> str:
    """What a request asks for, such as GetItem."""
    found = re.search(rb"<m:(\w+)", request.body)
    return "" if found is None else found[1].decode()


def envelope(body: str) -> bytes:
    """A whole answer; in `body` the usual prefixes t and m may be used."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{_SOAP}" xmlns:t="{_TYPES}"'
        f' xmlns:m="{_MESSAGES}"><s:Header><t:ServerVersionInfo MajorVersion="15" MinorVersion="1"'
        ' MajorBuildNumber="2507" MinorBuildNumber="6" Version="Exchange2016"/></s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode("utf-8", "surrogatepass")


def answer(name: str, *messages: str) -> bytes:
    """The answer to an operation: its response messages."""
    return envelope(
        f"<m:{name}Response><m:ResponseMessages>{''.join(messages)}</m:ResponseMessages></m:{name}Response>"
    )


def message(name: str, inside: str = "", *, code: str = "NoError") -> str:
    """One response message."""
    kind = "Success" if code == "NoError" else "Error"
    text = "" if code == "NoError" else "<m:MessageText>no</m:MessageText>"
    return (
        f'<m:{name}ResponseMessage ResponseClass="{kind}">{text}'
        f"<m:ResponseCode>{code}</m:ResponseCode>{inside}</m:{name}ResponseMessage>"
    )


def folders(request: Request) -> bytes:
    """To GetFolder: every folder that was asked for, its name for an id."""
    names = re.findall(rb'<t:(?:DistinguishedFolderId|FolderId) Id="([^"]+)"', request.body)
    found = [
        message(
            "GetFolder",
            f'<m:Folders><t:Folder><t:FolderId Id="{name.decode()}" ChangeKey="k"/>'
            f'<t:ParentFolderId Id="msgfolderroot" ChangeKey="k"/><t:FolderClass>IPF.Note</t:FolderClass>'
            f"<t:DisplayName>{name.decode()}</t:DisplayName><t:TotalCount>0</t:TotalCount></t:Folder></m:Folders>",
        )
        for name in names
    ]
    return answer("GetFolder", *found)


def below(request: Request) -> bytes:
    """To FindFolder: no folder beside those that everybody has."""
    inside = '<m:RootFolder TotalItemsInView="0" IncludesLastItemInRange="true"><t:Folders/></m:RootFolder>'
    return answer("FindFolder", message("FindFolder", inside))


def changes(state: str, *ids: str, last: bool = True) -> bytes:
    """To SyncFolderItems: these messages came."""
    came = "".join(f'<t:Create><t:Message><t:ItemId Id="{one}"/></t:Message></t:Create>' for one in ids)
    return answer(
        "SyncFolderItems",
        message(
            "SyncFolderItems",
            f"<m:SyncState>{state}</m:SyncState><m:IncludesLastItemInRange>{str(last).lower()}"
            f"</m:IncludesLastItemInRange><m:Changes>{came}</m:Changes>",
        ),
    )


Told = bytes | Reply | Callable[[Request], bytes | Reply]


def reaction(**told: Told) -> Callable[[Request], Reply]:
    """What to say to each operation; folders are told of unless said otherwise."""
    script: dict[str, Told] = {"GetFolder": folders, "FindFolder": below, **told}

    def react(request: Request) -> Reply:
        said = script[operation(request)]
        if callable(said):
            said = said(request)
        return said if isinstance(said, Reply) else Reply(200, said, {"Content-Type": "text/xml"})

    return react
