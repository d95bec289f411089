"""One IMAP connection: imaplib's client with everything bounded that a server could abuse.

It adds to `imaplib.IMAP4`: verified TLS, a deadline for every command, limits for lines, literals and
whole answers, keywords in whatever case, literals given away while they arrive, errors of our own tree.
imapclient's own client class is not used, only its parsers: it reports a refusal as a string, logs every
line of the protocol, does not quote user names, and takes a literal of any size.

It knows commands and answers, no mailbox.
"""

import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors import tls
from connectors.errors import MailboxError, ProtocolViolation, SyncdError, Unreachable, Untrusted
from connectors.imap import refusals
from connectors.imap.fetch import Literal, Part
from connectors.imap.stream import EndedError, Stream, TooSlowError
from connectors.tcp import keep_alive

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LARGEST_ANSWER = 64 * 1024 * 1024  # octets, to anything but a FETCH
LARGEST_LITERAL = 1024 * 1024 * 1024  # beyond this it is no mail
GOODBYE = 5.0  # seconds that a LOGOUT may take to leave

_NO_TLS = 'check `port` (993 for security = "tls") or use security = "starttls"'

_KEYWORD = re.compile(rb"(?:\* (?:\d+ )?|[A-Z]{4}\d+ )([A-Za-z-]+)")
_LITERAL = re.compile(rb"~?\{(\d+)\}\Z")
_STATUS = frozenset({b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"})
_FETCH = re.compile(rb"\* \d+ FETCH (\(.*)", re.DOTALL | re.IGNORECASE)

Untagged = bytes | tuple[bytes, bytes]  # imaplib's: a line, or a line and the literal it announces
Take = Callable[[Callable[[int], bytes], int], Literal | None]  # (read, size) -> what is kept of a literal


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended."""

    status: str  # OK, NO or BAD
    text: bytes

    @property
    def ok(self) -> bool:
        return self.status == "OK"


class Wire(imaplib.IMAP4):
    """A connection to one server, greeted but not logged in.

    Every method raises MailboxError when the connection is of no use any more, and has closed it then.
    `who` names the mailbox in messages; `silence` is in seconds.
    """

    def __init__(
        self, host: str, port: int, *, who: str, silence: float, context: ssl.SSLContext | None
    ) -> None:
        self.who = who
        self._where = f"{host}:{port}"
        self._silence = silence
        self._context = context
        self._again: list[bytes] = []  # lines read, to be read once more
        self._unsent: list[bytes] | None = None  # what is to be sent together with what follows
        self._stream: Stream | None = None
        self._on_bye: Callable[[bytes], MailboxError] = lambda text: refusals.goodbye(text, who)
        with self._translated():
            super().__init__(host, port, silence)

    # What imaplib lets a subclass replace.

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:
        """Connects, with TLS where there is a context."""
        self.host, self.port = host, port
        self.sock = socket.create_connection((host, port), timeout)
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            keep_alive(self.sock)
            if self._context is not None:
                self._wrap(self._context)
        except BaseException:
            self.sock.close()
            raise
        self._stream = Stream(self.sock, self._silence, LARGEST_ANSWER, self.who)

    def read(self, size: int) -> bytes:
        """A literal within an answer that is kept in memory as a whole."""
        return self._reader.read(size)

    def readline(self) -> bytes:
        """A line with its end."""
        return self._reader.line()

    def send(self, data: "ReadableBuffer") -> None:
        """Octets to the server."""
        if self._unsent is not None:
            self._unsent.append(bytes(data))
            return
        try:
            if self.sock.gettimeout() != self._silence:  # setting it is a system call
                self.sock.settimeout(self._silence)
            self.sock.sendall(data)
        except OSError as error:  # imaplib would make a nondescript error of its own of it
            raise self._broken(error) from error

    def shutdown(self) -> None:
        """Closes the connection without a word."""
        if self._stream is not None:
            self._stream.close()
        self.sock.close()

    def _get_line(self) -> bytes:
        line = self._again.pop() if self._again else self.readline().rstrip(b"\r\n")
        found = _KEYWORD.match(line)
        if found is None:
            return line
        # imaplib knows keywords in capitals only, though they have no case (RFC 3501 section 9).
        keyword = found[1].upper()
        if line.endswith(b"}"):
            if keyword in _STATUS:
                return line + b" "  # text for a person: no literal follows, whatever it looks like
            if size := _LITERAL.search(line):
                self._size(size[1], LARGEST_ANSWER)
        return line[: found.start(1)] + keyword + line[found.end(1) :]

    def _get_capabilities(self) -> None:
        if "CAPABILITY" not in self.untagged_responses:  # most servers tell in the greeting
            self.run("CAPABILITY")
        lines = self.lines("CAPABILITY")
        words = lines[-1].decode("ascii", "replace").upper().split() if lines else []
        self.capabilities = tuple(words) or ("NONE",)

    def _check_bye(self) -> None:
        if bye := self._bye():
            raise bye

    def _log(self, line: object) -> None:
        """imaplib keeps the last lines for debugging, a password among them: not here."""

    # What this class adds.

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Turns the connection into a TLS one. Whatever came before it is forgotten."""
        if "STARTTLS" not in self.capabilities:
            raise Untrusted(
                f'The server of {self.who} does not offer STARTTLS. Use security = "tls", or ask its'
                " operator; mail and password never travel in clear."
            )
        answer = self.run("STARTTLS")
        if not answer.ok:
            raise Untrusted(f"The server of {self.who} refuses STARTTLS. {refusals.said(answer.text)}.")
        with self._translated():
            self._wrap(context)
            # Lines that came in clear text behind the OK may be an attacker's (CVE-2011-0411).
            self._again.clear()
            self.untagged_responses.clear()
            self._stream = Stream(self.sock, self._silence, LARGEST_ANSWER, self.who)
            self._get_capabilities()

    def offers(self, capability: str) -> bool:
        """Whether the server has announced the capability. After a login it may have to be asked."""
        if "CAPABILITY" in self.untagged_responses or not self.capabilities:
            with self._translated():
                self._get_capabilities()
        return capability in self.capabilities

    def run(
        self,
        name: str,
        *args: str | bytes,
        more: tuple[bytes, ...] | None = None,
        literal: bytes | None = None,
        expected: int = 0,
    ) -> Answer:
        """Sends a command and waits for its end; what came before that is in `taken()`.

        `more` are lines to send at each continuation request of the server, one at a time; when they
        are used up, `*` ends an authentication. A `literal` is the last argument, sent once the server
        asks for it.
        """
        with self._translated():
            tag = self._begin(name, args, more, expected, LARGEST_ANSWER, literal=literal)
            return self._end(tag)

    def run_together(
        self, name: str, calls: Sequence[tuple[str | bytes, ...]], keyword: str
    ) -> list[tuple[Answer, list[bytes]]]:
        """The same command several times, all sent at once (RFC 3501 5.5), each with its own arguments.

        Returns for each its end and the lines of that keyword that came since the end of the one before.
        """
        with self._translated():
            self._prepare(0, LARGEST_ANSWER)
            self._unsent = []
            try:
                tags: list[bytes] = [self._command(name, *args) for args in calls]
            finally:
                unsent, self._unsent = self._unsent, None
            self.send(b"".join(unsent))
            return [(self._end(tag), self.lines(keyword)) for tag in tags]

    def taken(self, keyword: str) -> list[Untagged]:
        """The untagged answers of this keyword since the last command began; each only once."""
        return self.untagged_responses.pop(keyword, [])

    def lines(self, keyword: str) -> list[bytes]:
        """As `taken`, those without a literal."""
        return [line for line in self.taken(keyword) if isinstance(line, bytes)]

    @contextmanager
    def logging_in(self, on_bye: Callable[[bytes], MailboxError]) -> Iterator[None]:
        """While this lasts, a BYE is the answer to a login, and `on_bye` says which error that is."""
        usual, self._on_bye = self._on_bye, on_bye
        try:
            yield
        finally:
            self._on_bye = usual

    def logged_in(self) -> None:
        """To be said after a login, for imaplib's book-keeping; capabilities change with it."""
        self.state = "AUTH"
        self.capabilities = ()

    def selected(self, *, selected: bool) -> None:
        """To be said when a folder was opened or closed, for imaplib's book-keeping."""
        self.state = "SELECTED" if selected else "AUTH"
        self.is_readonly = True

    def fetch_parts(
        self, uid_set: str, items: str, *, take: Take, expected: int, limit: int
    ) -> tuple[list[list[Part]], Answer]:
        """UID FETCH, past imaplib's store of answers: each literal goes to `take` while it arrives."""
        found: list[list[Part]] = []
        with self._translated():
            tag = self._begin("UID", ("FETCH", uid_set, items), None, expected, limit)
            while self.tagged_commands[tag] is None:
                line = self.readline().rstrip(b"\r\n")
                if answer := _FETCH.match(line):
                    found.append(self._parts(answer[1], take))
                else:
                    self._again.append(line)
                    self._get_response()
                    self._check_bye()
            return found, self._end(tag)

    def idle(self) -> bytes:
        """IDLE (RFC 2177), until the server says that it has begun. Returns what it said since, unread.

        From then on the caller reads the socket. Raises MailboxError; a refusal is no AuthFailed.
        """
        with self._translated():
            self._prepare(0, LARGEST_ANSWER)
            tag = self._new_tag()
            self.send(b"%s IDLE\r\n" % tag)
            unasked = []
            while not (line := self.readline()).startswith(b"+"):
                if line.startswith(tag):
                    text = line.rstrip()[len(tag) :]
                    raise refusals.waiting(text, self.who) or Unreachable(
                        f"The server of {self.who} does not let it wait. {refusals.said(text)}."
                    )
                unasked.append(line)
            return b"".join(unasked) + self._reader.hand_over()

    def say_goodbye(self) -> None:
        """LOGOUT, without waiting for the server's own goodbye; then closes. Never raises."""
        self._silence = min(self._silence, GOODBYE)
        with suppress(SyncdError):
            self.send(b"%s LOGOUT\r\n" % self._new_tag())
        self.close_quietly()

    def close_quietly(self) -> None:
        """Closes without a word. Never raises."""
        self.state = "LOGOUT"
        with suppress(OSError):
            self.shutdown()

    @property
    def _reader(self) -> Stream:
        if self._stream is None:
            raise EndedError
        return self._stream

    def _begin(
        self,
        name: str,
        args: tuple[str | bytes, ...],
        more: tuple[bytes, ...] | None,
        expected: int,
        limit: int,
        *,
        literal: bytes | None = None,
    ) -> bytes:
        self._prepare(expected, limit)
        if literal is not None:
            self.literal = literal  # type: ignore[assignment]  # typeshed: str | None
        if more is not None:
            self._more = iter(more)
            # imaplib calls a bound method at each continuation request.
            self.literal = self._next_line  # type: ignore[assignment]  # typeshed: str | None
        tag: bytes = self._command(name, *args)
        return tag

    def _prepare(self, expected: int, limit: int) -> None:
        """Nothing of what came before is taken for an answer to what is asked next."""
        if self.state == "LOGOUT":
            raise EndedError
        self._check_bye()
        if "CAPABILITY" in self.untagged_responses:
            self._get_capabilities()
        self.untagged_responses.clear()
        self._reader.begin(expected=expected, limit=limit)

    def _next_line(self, _challenge: bytes) -> bytes:
        return next(self._more, b"*")

    def _end(self, tag: bytes) -> Answer:
        status, data = self._get_tagged_response(tag)
        return Answer(str(status), bytes(data[-1] or b""))

    def _parts(self, text: bytes, take: Take) -> list[Part]:
        parts: list[Part] = []
        while text.endswith(b"}") and (size := _LITERAL.search(text)):
            octets = self._size(size[1], LARGEST_LITERAL)
            if text[size.start()] == ord("~"):  # literal8 (RFC 3516) is read like any other
                text = text[: size.start()] + text[size.start() + 1 :]
            parts.append((text, take(self.read, octets)))
            text = self.readline().rstrip(b"\r\n")
        parts.append((text, None))
        return parts

    def _size(self, digits: bytes, most: int) -> int:
        if len(digits) > len(str(most)) or int(digits) > most:
            raise ProtocolViolation(f"The server of {self.who} announces a literal beyond all bounds.")
        return int(digits)

    def _wrap(self, context: ssl.SSLContext) -> None:
        try:
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise Unreachable(f"{self._where} ended the connection during the TLS handshake.") from error
        except ssl.SSLError as error:
            raise tls.refused(error, self._where, no_tls=_NO_TLS) from error

    def _bye(self) -> MailboxError | None:
        lines = [line for line in self.untagged_responses.get("BYE", []) if isinstance(line, bytes)]
        return self._on_bye(lines[-1]) if lines else None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """imaplib's, ssl's and the socket's errors become ours."""
        try:
            yield
        except SyncdError:
            self._abandon()
            raise
        except (TooSlowError, EndedError, TimeoutError, socket.gaierror, OSError) as error:
            self._abandon()
            raise self._bye() or self._broken(error) from error
        except (imaplib.IMAP4.error, ValueError):
            self._abandon()
            # Not `from error`: imaplib quotes the line it could not read, and that may be somebody's mail.
            raise (
                self._bye()
                or ProtocolViolation(
                    f"{self._where} does not speak IMAP as it should (mailbox {self.who}). Check `host` and"
                    " `port`, and tell the server's operator."
                )
            ) from None

    def _broken(self, error: OSError) -> Unreachable:
        match error:
            case TooSlowError():
                what = f"The server of {self.who} answers too slowly."
            case EndedError():
                what = f"The server of {self.who} dropped the connection."
            case TimeoutError():
                what = f"The server of {self.who} stayed silent for {self._silence:g} s."
            case socket.gaierror():
                what = f"The address of {self._where} cannot be found: check `host` and the DNS."
            case _:
                reason = error.strerror or type(error).__name__
                what = f"The connection of {self.who} to {self._where} failed: {reason}."
        return Unreachable(f"{what} It is tried again later.")

    def _abandon(self) -> None:
        if self._stream is not None:
            self.close_quietly()
