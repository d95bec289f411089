"""The folders of one connection: listing them, asking for their state, opening them for reading.

A folder is opened with EXAMINE, never SELECT, and only where the one needed is not open already. The
UIDVALIDITY that was told first counts: under another one nothing is read any more.
"""

from collections.abc import Sequence

from connectors.errors import CollectionError, MailboxError, ProtocolViolation, Unreachable
from connectors.imap import refusals
from connectors.imap.folders import (
    Listed,
    Namespaces,
    encode_name,
    parse_list,
    parse_namespaces,
    references,
)
from connectors.imap.wire import Answer, Wire
from connectors.model import FolderState

LONGEST_NUMBER = 20  # digits; 64 bits, as RFC 9051 allows
STATES_AT_ONCE = 20  # folders whose state is asked for in one go
_STATUS = "(MESSAGES UIDNEXT UIDVALIDITY)"


class Selection:
    """Which folder is open, and what the server has told of this and the others."""

    def __init__(self, wire: Wire, before: "Selection | None" = None) -> None:
        """`before`: of an earlier connection, whose UIDVALIDITYs go on to count."""
        self.wire = wire
        self.exists = 0  # messages in the open folder, as far as the server told
        self._open: str | None = None
        self.epochs: dict[str, str] = {} if before is None else before.epochs  # UIDVALIDITY by folder
        self._names: dict[str, bytes] = {}  # how the server spells them, where it has been asked

    def list(self) -> list[Listed]:
        """Every folder the server shows."""
        wire = self.wire
        extended = wire.offers("SPECIAL-USE") and wire.offers("LIST-EXTENDED")
        answer = wire.run("LIST", '""', '"*"', *(("RETURN (SPECIAL-USE)",) if extended else ()))
        if not answer.ok and extended:
            answer = wire.run("LIST", '""', '"*"')
        if not answer.ok:
            raise refusals.waiting(answer.text, wire.who) or ProtocolViolation(
                f"The server of {wire.who} does not list its folders. {refusals.said(answer.text)}."
            )
        listed = list(parse_list(wire.taken("LIST")))
        self._names = {ref: item.name for ref, item in references(listed).items()}
        return listed

    def namespaces(self) -> Namespaces:
        """Which part of the folder tree is the user's own; all of it where the server does not say."""
        if self.wire.offers("NAMESPACE") and self.wire.run("NAMESPACE").ok:
            for line in self.wire.lines("NAMESPACE"):
                return parse_namespaces(line)
        return Namespaces()

    def state(self, ref: str) -> FolderState:
        """STATUS. From now on the folder is expected to keep the UIDVALIDITY told here."""
        if ref == self._open:
            # RFC 3501 6.3.10: STATUS is not for the open folder; some servers answer from a snapshot.
            self.close()
        answer = self._run("STATUS", ref, _STATUS)
        if not answer.ok:
            raise self._refused(ref, answer)
        return self._told(ref, self.wire.lines("STATUS"))

    def states(self, refs: Sequence[str]) -> dict[str, FolderState | CollectionError]:
        """As `state`, of many folders in few round trips; an error of one folder is not raised."""
        if self._open in refs:
            self.close()
        found: dict[str, FolderState | CollectionError] = {}
        for start in range(0, len(refs), STATES_AT_ONCE):
            part = refs[start : start + STATES_AT_ONCE]
            names = [_quoted(self._names.get(ref) or encode_name(ref)) for ref in part]
            answers = self.wire.run_together("STATUS", [(name, _STATUS) for name in names], "STATUS")
            # A server may answer in another order where several lines come before an end (RFC 3501 5.5).
            in_order = all(len(lines) == answer.ok for answer, lines in answers)
            for ref, (answer, lines) in zip(part, answers, strict=True):
                try:
                    found[ref] = self._told(ref, lines) if answer.ok and in_order else self.state(ref)
                except CollectionError as error:
                    found[ref] = error
        return found

    def _told(self, ref: str, lines: Sequence[bytes]) -> FolderState:
        values = _status_values(lines)
        if b"MESSAGES" not in values:
            raise ProtocolViolation(
                f"The server of {self.wire.who} answers STATUS without the number of messages."
            )
        epoch = self._epoch(ref, values.get(b"UIDVALIDITY", 0))
        self.epochs[ref] = epoch
        return FolderState(epoch=epoch, next_uid=values.get(b"UIDNEXT", 0), count=values[b"MESSAGES"])

    def open(self, ref: str) -> bool:
        """EXAMINE, unless the folder is open already. Returns whether it had to be opened.

        Raises CollectionGone, CollectionRefused, or CollectionError: another UIDVALIDITY than before.
        """
        if ref == self._open:
            return False
        self._open = None
        answer = self._run("EXAMINE", ref)
        self.wire.selected(selected=answer.ok)
        if not answer.ok:
            raise self._refused(ref, answer)
        self.exists = _last_number(self.wire.lines("EXISTS"))
        epoch = self._epoch(ref, _last_number(self.wire.lines("UIDVALIDITY")))
        if self.epochs.setdefault(ref, epoch) != epoch:
            raise CollectionError(
                f'The folder "{ref}" of {self.wire.who} was replaced while it was read (another'
                " UIDVALIDITY). It is read anew in the next cycle.",
                collection=ref,
            )
        self._open = ref
        return True

    def append(self, ref: str, content: bytes, *, draft: bool = False) -> Answer:
        """APPEND (RFC 3501 6.3.11), without a flag but for a draft."""
        flags = ("(\\Draft \\Seen)",) if draft else ()
        name = _quoted(self._names.get(ref) or encode_name(ref))
        return self.wire.run("APPEND", name, *flags, literal=content)

    def append_refused(self, ref: str, answer: Answer) -> CollectionError | MailboxError:
        """The error for an `append` that the server did not do."""
        who = self.wire.who
        if refusals.code_of(answer.text) == "OVERQUOTA" or b"quota" in answer.text.lower():
            return CollectionError(
                f"The mailbox of {who} is full. {refusals.said(answer.text)}. Make room in it.",
                collection=ref,
            )
        patience = refusals.waiting(answer.text, who)
        if patience is None:
            self.list()  # is it still there?
        return patience or refusals.folder(answer.text, who, ref, listed=ref in self._names)

    def close(self) -> None:
        """UNSELECT (RFC 3691) where the server offers it; else the next EXAMINE closes the folder."""
        was, self._open = self._open, None
        if was is not None and self.wire.offers("UNSELECT") and self.wire.run("UNSELECT").ok:
            self.wire.selected(selected=False)

    def count(self) -> int:
        """Messages in the open folder after the last command, as far as the server told."""
        if told := self.wire.lines("EXISTS"):
            self.exists = _last_number(told)
        self.exists = max(0, self.exists - len(self.wire.taken("EXPUNGE")))
        return self.exists

    def _run(self, command: str, ref: str, *args: str) -> Answer:
        """A command on a folder by its name, whatever spelling of it the server insists on."""
        first = self._names.get(ref) or encode_name(ref)
        answer = self.wire.run(command, _quoted(first), *args)
        if answer.ok or refusals.waiting(answer.text, self.wire.who):
            return answer
        self.list()  # is it still there, and under which spelling?
        known = self._names.get(ref)
        return answer if known is None or known == first else self.wire.run(command, _quoted(known), *args)

    def _refused(self, ref: str, answer: Answer) -> CollectionError | MailboxError:
        patience = refusals.waiting(answer.text, self.wire.who)
        if isinstance(patience, Unreachable):  # this folder, for now; the connection does answer
            return CollectionError(
                f'"{ref}" of {self.wire.who} cannot be read for now. {refusals.said(answer.text)}.',
                collection=ref,
            )
        return patience or refusals.folder(answer.text, self.wire.who, ref, listed=ref in self._names)

    def _epoch(self, ref: str, uidvalidity: int) -> str:
        if not uidvalidity:
            raise CollectionError(
                f'The server gives no UIDVALIDITY for "{ref}" of {self.wire.who}: its messages cannot be'
                " told apart over time, so the folder cannot be read. Leave it out of `mail_folders`.",
                collection=ref,
            )
        return str(uidvalidity)


def _status_values(lines: Sequence[bytes]) -> dict[bytes, int]:
    values: dict[bytes, int] = {}
    for line in lines:  # the name stands before the last parenthesis, or was a literal before it
        words = line.rpartition(b"(")[2].partition(b")")[0].upper().split()
        pairs = zip(words[::2], words[1::2], strict=False)
        values.update((name, int(number)) for name, number in pairs if _is_number(number))
    return values


def _last_number(lines: list[bytes]) -> int:
    return next((int(line) for line in reversed(lines) if _is_number(line)), 0)


def _is_number(text: bytes) -> bool:
    return text.isdigit() and len(text) <= LONGEST_NUMBER


def _quoted(name: bytes) -> bytes:
    """A folder name as the argument of a command."""
    return b'"%s"' % name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
