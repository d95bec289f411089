"""The line locator against tomllib, on documents that use every way TOML has of writing a key."""

import tomllib
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.lines import MAX_DEPTH, KeyPath, TooDeep, format_path, locate

KEYS = st.one_of(
    st.text(alphabet="ab_-1", min_size=1, max_size=2),
    st.text(alphabet="a.é \"'#=[]\\\n\t", max_size=3),
)
TEXTS = st.text(alphabet="ab#=,[]{}\"'\\\n\té", max_size=8)
SCALARS = st.one_of(
    TEXTS,
    st.integers(-5, 5),
    st.booleans(),
    st.floats(allow_nan=False),
    st.dates(),
    st.datetimes(),
    st.times(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3),
        st.lists(st.dictionaries(KEYS, inner, max_size=2), min_size=1, max_size=3),
    ),
    max_leaves=12,
)
TREES = st.dictionaries(KEYS, VALUES, max_size=5)


class Writer:
    """Writes a tree as TOML in a style that `draw` chooses, and notes the line of each key it writes."""

    def __init__(self, data: st.DataObject, used: Counter[str]) -> None:
        self._draw = data.draw
        self._used = used
        self.text = ""
        self.lines: dict[KeyPath, int] = {}

    def _pick(self, *styles: str) -> str:
        style = self._draw(st.sampled_from(styles))
        self._used[style] += 1
        return style

    def _note(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def table(self, path: KeyPath, header: str, tree: dict[str, object]) -> None:
        later = []
        for key, value in tree.items():
            style = self._style(value)
            if style in {"table", "array of tables"}:
                later.append((key, value, style))
                continue
            self._gap()
            self._key_value(path, [], key, value, style)
            self.text += self._draw(st.sampled_from(["\n", " # = [a]\n", "\r\n"]))
        for key, value, style in later:
            name = f"{header}.{self._key(key)}" if header else self._key(key)
            here = (*path, key)
            for index, item in enumerate(value if isinstance(value, list) else [value]):
                assert isinstance(item, dict)
                self._gap()
                self._note(here)
                inside: KeyPath = here
                if style == "array of tables":
                    inside = (*here, index)
                    self._note(inside)
                self.text += f"[[{name}]]\n" if style == "array of tables" else f"[ {name} ] # x\n"
                self.table(inside, name, item)

    def _style(self, value: object) -> str:
        if isinstance(value, dict):
            return self._pick("table", "inline table", *(["dotted"] if value else []))
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            return self._pick("array of tables", "array")
        return "value"

    def _gap(self) -> None:
        self.text += self._draw(st.sampled_from(["", "", "\n", "# 'comment\" [x]\n", "  "]))

    def _key_value(self, path: KeyPath, dotted: list[str], key: str, value: object, style: str) -> None:
        here, parts = (*path, key), [*dotted, self._key(key)]
        if style == "dotted":
            assert isinstance(value, dict)
            for index, (inner, item) in enumerate(value.items()):
                if index:
                    self.text += "\n"
                self._note(here)
                deeper = "dotted" if isinstance(item, dict) and item else "value"
                self._key_value(here, parts, inner, item, deeper)
            return
        self._note(here)
        self.text += self._draw(st.sampled_from([".", " . "])).join(parts)
        self.text += self._draw(st.sampled_from(["=", " = "]))
        self._value(here, value)

    def _value(self, path: KeyPath, value: object) -> None:
        if isinstance(value, dict):
            self.text += "{ "
            for index, (key, item) in enumerate(value.items()):
                self.text += ", " if index else ""
                self._key_value(path, [], key, item, "value")
            self.text += " }"
        elif isinstance(value, list):
            breaks = self._pick("array on one line", "array on many lines")
            gap = "\n  # ]\n" if breaks == "array on many lines" else ""
            self.text += "[" + gap
            for index, item in enumerate(value):
                self.text += "," + gap if index else ""
                self._note((*path, index))
                self._value((*path, index), item)
            self.text += ("," if value and gap else "") + gap + "]"
        elif isinstance(value, str):
            self.text += self._string(value)
        elif isinstance(value, bool):
            self.text += str(value).lower()
        elif isinstance(value, int | float):
            self.text += repr(value)
        else:
            self.text += str(value)  # dates and times, as TOML has them

    def _string(self, value: str) -> str:
        styles = ["basic", "long basic"]
        if "'" not in value and "\n" not in value:
            styles.append("literal")
        if "'''" not in value and not value.endswith("'"):
            styles.append("long literal")
        style = self._pick(*styles)
        if style == "literal":
            return f"'{value}'"
        if style == "long literal":
            return f"'''\n{value}'''"
        escaped = value.replace("\\", "\\\\")
        if style == "long basic":
            # The text may hold, and end with, two quotes in a row.
            return '"""\n' + escaped.replace('""', '"\\"') + '"""'
        return '"' + escaped.replace('"', '\\"').replace("\n", "\\n") + '"'

    def _key(self, key: str) -> str:
        styles = ["quoted key"]
        if "'" not in key and "\n" not in key:
            styles.append("literal key")
        if key and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in key):
            styles.append("bare key")
        style = self._pick(*styles)
        if style == "bare key":
            return key
        if style == "literal key":
            return f"'{key}'"
        escaped = key.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'


def paths_of(value: object, path: KeyPath = ()) -> set[KeyPath]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, item in value.items():
            found |= paths_of(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found |= paths_of(item, (*path, index))
    return found


def test_every_key_tomllib_finds_is_located_on_the_line_it_was_written_on() -> None:
    used: Counter[str] = Counter()

    @settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(tree=TREES, data=st.data())
    def holds(tree: dict[str, object], data: st.DataObject) -> None:
        writer = Writer(data, used)
        writer.table((), "", tree)
        assert tomllib.loads(writer.text) == tree  # the test's own writer writes what it means
        assert locate(writer.text) == writer.lines
        assert set(writer.lines) == paths_of(tree)

    holds()
    assert set(used) >= {
        "table", "inline table", "dotted", "array of tables", "array", "array on one line",
        "array on many lines", "basic", "long basic", "literal", "long literal", "quoted key",
        "literal key", "bare key",
    }  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab.=[]{}\"'\\,#\n 1", max_size=40))
def test_whatever_tomllib_accepts_is_located_key_for_key(text: str) -> None:
    try:
        tree = tomllib.loads(text)
    except ValueError:
        return
    assert set(locate(text)) == paths_of(tree)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", {}),
        ("\n# c\na=1", {("a",): 3}),
        ("a.b.c=1\na.d=2", {("a",): 1, ("a", "b"): 1, ("a", "b", "c"): 1, ("a", "d"): 2}),
        ('x="""\na\n"""""\ny=1', {("x",): 1, ("y",): 4}),
        ("x='''\n''a'''''\ny=1", {("x",): 1, ("y",): 3}),
        ('x="""\\\n  \\""" = 1 """\ny=1', {("x",): 1, ("y",): 3}),
        ("x=''\ny=\"\"\nz=''''''", {("x",): 1, ("y",): 2, ("z",): 3}),
        ("d=1979-05-27 07:32:00\ne=[07:32:00,\n1]", {("d",): 1, ("e",): 2, ("e", 0): 2, ("e", 1): 3}),
        (
            "[[a]]\n[a.b]\nc=1\n[[a]]\n[[a.d]]\ne=1\n[[a.d]]",
            {
                ("a",): 1, ("a", 0): 1, ("a", 0, "b"): 2, ("a", 0, "b", "c"): 3, ("a", 1): 4,
                ("a", 1, "d"): 5, ("a", 1, "d", 0): 5, ("a", 1, "d", 0, "e"): 6, ("a", 1, "d", 1): 7,
            },
        ),
        ("a = 1\r\nb = '''\r\n\r\n'''\r\nc = 1", {("a",): 1, ("b",): 2, ("c",): 5}),
    ],
)  # fmt: skip
def test_the_line_is_the_one_on_which_the_key_stands(text: str, lines: dict[KeyPath, int]) -> None:
    assert locate(text) == lines
    assert set(lines) == paths_of(tomllib.loads(text))


@pytest.mark.parametrize(
    "text",
    ["\na = " + "[" * 40 + "]" * 40, "\n" + ".".join("a" * 40) + "=1", "\n[" + ".".join("a" * 40) + "]"],
)
def test_what_is_nested_deeper_than_any_setting_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(TooDeep, match=str(MAX_DEPTH)) as caught:
        locate(text)
    assert caught.value.line == 2


def test_a_path_is_shown_as_toml_would_write_it() -> None:
    assert format_path(("mailboxes", 0, "password", "file")) == "mailboxes[0].password.file"
    assert format_path(("servers", "a.b", "\n")) == 'servers."a.b"."\\n"'
