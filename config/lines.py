"""On which line of a TOML text each key stands, which `tomllib` does not tell.

`locate` walks a text that `tomllib` has already accepted (TOML 1.0.0) and so need not check it again:
it only has to know where keys and values begin and end. That it finds exactly the keys `tomllib` finds
is held by a property test. Nothing is read or decoded here.
"""

import re
import tomllib
from bisect import bisect_right

KeyPath = tuple[str | int, ...]

MAX_DEPTH = 32  # deeper than any setting; keeps every later walk over the tables within the stack

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
# The closing delimiter may be preceded by one or two quotes that belong to the text.
# No possessive groups here or elsewhere: before Python 3.11.5 they match wrongly (Debian 12 has 3.11.2).
_LONG_BASIC = re.compile(r'"""(?:[^"\\]|\\.|"(?!"")|""(?!"))*"{3,5}', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''(?:[^']|'(?!'')|''(?!'))*'{3,5}", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]*")  # numbers, booleans, dates ("1979-05-27 07:32:00" holds a space)


class TooDeep(ValueError):
    """Tables or lists nested deeper than any setting is; `line` is where."""

    def __init__(self, line: int) -> None:
        super().__init__(f"tables or lists are nested more than {MAX_DEPTH} deep")
        self.line = line


def locate(text: str) -> dict[KeyPath, int]:
    """The 1-based line of every key, table and list element of `text`, which must be valid TOML.

    The key of a table is where it is first named; `("users", 0)` is the line of its `[[users]]`.
    Raises TooDeep beyond MAX_DEPTH.
    """
    return _Scanner(text).document()


def format_path(path: KeyPath) -> str:
    """`path` as it is shown to people: mailboxes[0].password.file, quoted where TOML would need it."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else '"' + part.encode("unicode_escape").decode() + '"'
            shown += f".{name}" if shown else name
    return shown


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [match.end() for match in re.finditer("\n", text)]
        self._lines: dict[KeyPath, int] = {}
        self._last: dict[KeyPath, int] = {}  # index of the newest element of each [[array of tables]]

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._blank()
        while self._at < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._key_value(table)
            self._blank()
        return self._lines

    def _header(self) -> KeyPath:
        start, is_array = self._at, self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        *parents, name = self._key()
        self._at += 2 if is_array else 1
        path: KeyPath = ()
        for part in parents:
            path = self._newest(self._note((*path, part), start))
        path = self._note((*path, name), start)
        if not is_array:
            return self._newest(path)
        self._last[path] = self._last.get(path, -1) + 1
        return self._note((*path, self._last[path]), start)

    def _newest(self, path: KeyPath) -> KeyPath:
        return (*path, self._last[path]) if path in self._last else path

    def _key_value(self, table: KeyPath) -> None:
        path, start = table, self._at
        for part in self._key():
            path = self._note((*path, part), start)
        self._at += 1  # the equals sign
        self._blank()
        self._value(path)

    def _key(self) -> list[str]:
        """The parts of the dotted key that begins here; stops at what follows it."""
        parts = []
        while True:
            self._blank()
            if raw := self._take(_BASIC):
                parts.append(_unescaped(raw))
            elif raw := self._take(_LITERAL):
                parts.append(raw[1:-1])
            else:
                parts.append(self._take(_BARE))
            self._blank()
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        first = self._text[self._at : self._at + 1]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            for pattern in (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL, _SCALAR):
                if self._take(pattern):
                    return

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while not self._closed_by("]"):
            element = self._note((*path, index), self._at)
            self._value(element)
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while not self._closed_by("}"):
            self._key_value(path)

    def _closed_by(self, bracket: str) -> bool:
        """Steps over blanks, one comma and the closing bracket if it is next; True at the end of it."""
        self._blank()
        if self._text.startswith(",", self._at):
            self._at += 1
            self._blank()
        if self._at >= len(self._text) or self._text[self._at] == bracket:
            self._at += 1
            return True
        return False

    def _note(self, path: KeyPath, position: int) -> KeyPath:
        line = bisect_right(self._starts, position) + 1
        if len(path) > MAX_DEPTH:
            raise TooDeep(line)
        self._lines.setdefault(path, line)
        return path

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match.group()

    def _blank(self) -> None:
        self._take(_BLANK)


def _unescaped(basic: str) -> str:
    """The text of a basic string; `tomllib` knows the escapes."""
    value = tomllib.loads(f"key = {basic}")["key"]
    return value if isinstance(value, str) else ""
