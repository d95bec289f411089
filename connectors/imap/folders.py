"""From a server's folder list to `Folder`s: names decoded, roles found. Pure: no connection here.

A role comes from a SPECIAL-USE attribute (RFC 6154, or Gmail's older XLIST), else from a name that mail
clients are known to give, in the languages of our users. Both count: a server that marks `Sent` may well
hold an `Éléments envoyés` that Outlook made and uses.
"""

import re
import unicodedata
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from imapclient import imap_utf7

from connectors.model import Folder, FolderRole

ResponsePart = bytes | tuple[bytes, bytes]  # imaplib's: a line, or a line and the literal it announces

ATTRIBUTES = {
    "\\inbox": FolderRole.INBOX,
    "\\sent": FolderRole.SENT,
    "\\all": FolderRole.ALL,
    "\\allmail": FolderRole.ALL,
    "\\archive": FolderRole.ARCHIVE,
    "\\drafts": FolderRole.DRAFTS,
    "\\junk": FolderRole.JUNK,
    "\\spam": FolderRole.JUNK,
    "\\trash": FolderRole.TRASH,
}

# Without accents, lower case. Thunderbird, Outlook, Apple Mail, Roundcube, Zimbra, Exchange, OVH, Orange,
# Gmail, GMX, Yahoo; French, English, German, Spanish, Italian, Dutch, Portuguese, Polish.
NAMES = {
    FolderRole.SENT: (
        "sent|sent items|sent mail|sent-mail|sent messages|sent objects|outbox|envoyes"
        "|elements envoyes|messages envoyes|mails envoyes|courrier envoye|courriers envoyes"
        "|objets envoyes|gesendet|gesendete elemente|gesendete objekte|gesendete nachrichten|enviados"
        "|enviado|elementos enviados|mensajes enviados|correo enviado|inviati|inviata|posta inviata"
        "|messaggi inviati|elementi inviati|verzonden|verzonden items|verzonden berichten|verstuurd"
        "|itens enviados|mensagens enviadas|enviadas|correio enviado|e-mails enviados|wyslane"
        "|elementy wyslane|wiadomosci wyslane|wyslane wiadomosci"
    ),
    FolderRole.DRAFTS: (
        "drafts|draft|brouillons|brouillon|entwurfe|entwurf|borradores|borrador|bozze|bozza|concepten"
        "|rascunhos|rascunho|wersje robocze|szkice|kopie robocze"
    ),
    FolderRole.JUNK: (
        "junk|junk e-mail|junk email|junk mail|spam|bulk|bulk mail|courrier indesirable"
        "|courriers indesirables|indesirables|indesirable|pourriels|pourriel|quarantaine|junk-e-mail"
        "|spamverdacht|unerwunscht|unerwunschte werbung|correo no deseado|no deseado|correo basura"
        "|posta indesiderata|indesiderata|ongewenste e-mail|ongewenst|reclame|lixo eletronico"
        "|lixo electronico|wiadomosci-smieci|niechciane"
    ),
    FolderRole.TRASH: (
        "trash|bin|deleted|deleted items|deleted messages|corbeille|elements supprimes"
        "|messages supprimes|supprimes|poubelle|papierkorb|geloscht|geloschte elemente|geloschte objekte"
        "|papelera|elementos eliminados|eliminados|cestino|posta eliminata|elementi eliminati|prullenbak"
        "|prullenmand|verwijderde items|lixeira|lixo|itens excluidos|itens eliminados|kosz"
        "|elementy usuniete|usuniete"
    ),
    FolderRole.ARCHIVE: "archive|archives|archived|archiv|archivo|archivio|archief|arquivo|arquivos|archiwum",
}
_ROLE_OF_NAME = {name: role for role, names in NAMES.items() for name in names.split("|")}
_ALL_OF_GMAIL = frozenset(
    "all mail|tous les messages|alle nachrichten|todos|todos los correos|tutti i messaggi|alle berichten"
    "|alle e-mails|todos os e-mails|wszystkie".split("|")
)
_GMAIL = frozenset({"[gmail]", "[google mail]"})
_UNDECOMPOSED = str.maketrans({"ł": "l", "Ł": "l", "’": "'"})  # letters that NFKD leaves whole

_LIST = re.compile(
    rb'\((?P<flags>[^)]*)\) (?:"(?P<separator>\\?[^"])"|NIL|"") ?(?P<name>.*)', re.DOTALL | re.IGNORECASE
)
_LINE_END = re.compile(rb"[\0\r\n]")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PREFIX = re.compile(rb'\("((?:[^"\\]|\\.)*)" (?:"\\?[^"]"|NIL)', re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a LIST answer, as sent."""

    name: bytes  # undecoded, unquoted
    separator: str  # empty where the server has no hierarchy
    attributes: frozenset[str]  # lower-cased


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Prefixes of folder names (RFC 2342), decoded."""

    personal: tuple[str, ...] = ("",)
    foreign: tuple[str, ...] = ()  # other users' and shared folders; never empty strings


def parse_list(parts: Iterable[ResponsePart | None]) -> Iterator[Listed]:
    """The lines of a LIST answer, in the shape imaplib gives them. A line that is none is passed over, and
    so is a name with a line end in it: sent back, it would be a command of the one who chose it."""
    literal: bytes | None = None
    head = b""
    for part in parts:
        if isinstance(part, tuple):
            head, literal = part
            continue
        if literal is not None:
            line, name = head, literal
            literal = None
        elif part is None:
            continue
        else:
            line, name = part, None
        if found := _LIST.match(line):
            name = _unquoted(found["name"]) if name is None else name
            if _LINE_END.search(name):
                continue
            yield Listed(
                name=name,
                separator=(found["separator"] or b"")[-1:].decode("latin-1"),
                attributes=frozenset(found["flags"].decode("latin-1").casefold().split()),
            )


def parse_namespaces(line: bytes) -> Namespaces:
    """A NAMESPACE answer: three lists, or NILs: personal, other users', shared."""
    groups = _groups(line)
    prefixes = [tuple(decode_name(_unescaped(p)) for p in _PREFIX.findall(group)) for group in groups]
    prefixes += [()] * (3 - len(prefixes))
    foreign = tuple(prefix for prefix in prefixes[1] + prefixes[2] if prefix)
    return Namespaces(personal=prefixes[0] or ("",), foreign=foreign)


def decode_name(raw: bytes) -> str:
    """The folder name in clear. What is not modified UTF-7 is taken as UTF-8, else letter by letter."""
    if raw.isascii():
        try:
            text: str = imap_utf7.decode(raw)
            text.encode()
        except (UnicodeError, Base64Error):
            return raw.decode("ascii")
        return text if text.isprintable() or encode_name(text) == raw else raw.decode("ascii")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def encode_name(ref: str) -> bytes:
    """The name as a server expects it: modified UTF-7 (RFC 3501 section 5.1.3)."""
    encoded: bytes = imap_utf7.encode(ref)
    return encoded


def references(listed: Iterable[Listed]) -> dict[str, Listed]:
    """Every folder under the name our side knows it by. Two names that read alike stay two folders."""
    found: dict[str, Listed] = {}
    broken: list[Listed] = []
    for item in listed:
        ref = decode_name(item.name)
        if is_inbox(item.name):
            found.setdefault("INBOX", item)
        elif encode_name(ref) == item.name:
            found[ref] = item
        else:
            broken.append(item)
    for item in broken:  # a well-formed name keeps the clear reading for itself
        ref = decode_name(item.name)
        found[ref if ref not in found else f"{ref} ({item.name.hex()})"] = item
    return found


def is_inbox(name: bytes | str) -> bool:
    """INBOX is one folder in whatever case (RFC 3501 section 5.1)."""
    return name.upper() in (b"INBOX", "INBOX")


def folders(listed: Iterable[Listed], namespaces: Namespaces) -> list[Folder]:
    """The folders with their roles, in the server's order.

    Folders of other users and shared ones have no role: they are not this user's mail, unless an
    admin names them.
    """
    return [
        Folder(
            ref=ref,
            role=_role(ref, item, namespaces),
            selectable=not item.attributes & {"\\noselect", "\\nonexistent"},
        )
        for ref, item in references(listed).items()
    ]


def _role(ref: str, item: Listed, namespaces: Namespaces) -> FolderRole:
    if ref == "INBOX":
        return FolderRole.INBOX
    if any(ref.startswith(prefix) or ref + item.separator == prefix for prefix in namespaces.foreign):
        return FolderRole.OTHER
    for attribute, role in ATTRIBUTES.items():
        if attribute in item.attributes:
            return role
    return _role_by_name(ref, item.separator, namespaces.personal)


def _role_by_name(ref: str, separator: str, personal: Sequence[str]) -> FolderRole:
    """Only at the top, below the Inbox or below Gmail's own folder: `Customers/Sent` is a user's affair."""
    prefix = max((p for p in personal if ref.startswith(p)), key=len, default="")
    path = [_folded(part) for part in (ref[len(prefix) :].split(separator) if separator else [ref])]
    if len(path) > 1 and path[0] == "inbox":
        path = path[1:]
    if len(path) == 2 and path[0] in _GMAIL:  # noqa: PLR2004 - [Gmail]/Name
        if path[1] in _ALL_OF_GMAIL:
            return FolderRole.ALL
        path = path[1:]
    return _ROLE_OF_NAME.get(path[0], FolderRole.OTHER) if len(path) == 1 else FolderRole.OTHER


def _folded(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.strip().translate(_UNDECOMPOSED))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def _unquoted(name: bytes) -> bytes:
    found = _QUOTED.match(name)
    return _unescaped(found[1]) if found else name.split(b" (", 1)[0]


def _unescaped(text: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", text, flags=re.DOTALL)


def _groups(line: bytes) -> list[bytes]:
    """The top-level lists of the line; NIL is an empty one."""
    groups: list[bytes] = []
    depth = start = position = 0
    while position < len(line):
        if quoted := _QUOTED.match(line, position):
            position = quoted.end()
            continue
        byte = line[position : position + 1]
        if byte == b"(":
            start = position if depth == 0 else start
            depth += 1
        elif byte == b")":
            depth -= 1
            if depth == 0:
                groups.append(line[start : position + 1])
        elif depth == 0 and line[position : position + 3].upper() == b"NIL":
            groups.append(b"")
            position += 2
        position += 1
    return groups
