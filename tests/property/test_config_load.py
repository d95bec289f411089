"""Whatever stands in a config file, loading it gives settings or a ConfigError, and nothing else."""

import re
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import ConfigError
from config.load import default_text, load
from config.settings import Settings

FULL = re.sub(r"(?m)^#(\| ?|(?=[a-z0-9_]+ = ))", "", default_text())
JUNK = st.one_of(
    st.sampled_from(
        [
            "",
            "[",
            "]",
            "{}",
            '"',
            "'",
            "\n",
            "=",
            "0",
            "true",
            "[]",
            "2026-01-01",
            "07:30:00",
            "[[x]]\n",
            "${",
        ]
    ),
    st.text(max_size=4),
)


def outcome(main: bytes, drop_in: bytes | None = None) -> Settings | ConfigError:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "syncd.toml").write_bytes(main)
        if drop_in is not None:
            (folder / "conf.d").mkdir()
            (folder / "conf.d" / "a.toml").write_bytes(drop_in)
        try:
            return load(folder / "syncd.toml", environ={})
        except ConfigError as error:
            found = error
        length = {
            folder / "syncd.toml": main.count(b"\n") + 1,
            folder / "conf.d" / "a.toml": (drop_in or b"").count(b"\n") + 1,
        }
        assert found.problems
        for problem in found.problems:
            assert problem.message
            assert problem.line is None or 1 <= problem.line <= length[problem.file]
        return found


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_binary_never_raises_anything_else(raw: bytes) -> None:
    assert isinstance(outcome(raw), ConfigError)


def test_a_damaged_configuration_never_raises_anything_else() -> None:
    seen: Counter[type] = Counter()

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, len(FULL)), st.integers(0, 12), JUNK), min_size=1, max_size=3))
    def holds(damages: list[tuple[int, int, str]]) -> None:
        text = FULL
        for at, length, junk in damages:
            text = text[:at] + junk + text[at + length :]
        seen[type(outcome(text.encode()))] += 1

    holds()
    assert seen[Settings] > 0
    assert seen[ConfigError] > 0


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_value_of_any_type_in_any_place_never_raises_anything_else(data: st.DataObject) -> None:
    lines = [index for index, line in enumerate(FULL.splitlines()) if re.match(r"[a-z0-9_]+ = ", line)]
    values = ["0", "-1", "1.5", "nan", "true", '""', '"x"', "[]", "[0]", "{}", "{x=1}", "2026-01-01"]
    values += ["07:30:00", "2026-01-01T00:00:00Z", "0x" + "f" * 4000, '"\\u0000"', "[[[]]]", '[{x="y"}]']
    text = FULL.splitlines()
    for at in data.draw(st.lists(st.sampled_from(lines), min_size=1, max_size=4)):
        text[at] = text[at].partition("=")[0] + "= " + data.draw(st.sampled_from(values))
    outcome("\n".join(text).encode())


@settings(max_examples=100, deadline=None)
@given(st.integers(0, FULL.count("\n")))
def test_a_file_cut_in_two_at_a_table_is_the_same_configuration(at: int) -> None:
    lines = FULL.splitlines(keepends=True)
    while at < len(lines) and not re.match(r"\[(\[users|\[mailboxes|(?!mailboxes)[a-z])", lines[at]):
        at += 1
    whole, halves = (
        outcome(FULL.encode()),
        outcome("".join(lines[:at]).encode(), "".join(lines[at:]).encode()),
    )
    assert isinstance(whole, Settings)
    assert isinstance(halves, Settings)
    # Relative paths follow the file they stand in, and each run has its own folder.
    hidden = re.compile(r"PosixPath\('[^']*/|SecretStr\('[^']*'\)")
    assert hidden.sub("", repr(halves)) == hidden.sub("", repr(whole))
