"""The rule of `tests.no_skips`, shown on a test run of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPED = """
import pytest

def test_that_looks_for_a_server():
    pytest.skip("no server here")
"""
SKIPPED_BY_A_MARK = """
import pytest

@pytest.mark.skipif(True, reason="no server here")
def test_that_is_marked():
    pass
"""
SKIPPED_AS_A_WHOLE = """
import pytest

pytest.skip("no server here", allow_module_level=True)
"""
EXPECTED_TO_FAIL = """
import pytest

@pytest.mark.xfail(reason="known", strict=True)
def test_that_fails_as_expected():
    raise AssertionError
"""


def outcome(folder: Path, text: str, *, ci: bool) -> tuple[int, str]:
    """The exit code and the output of pytest on a file with that text."""
    (folder / "test_it.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "PYTEST"))}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.no_skips",
            "-p",
            "no:cacheprovider",
            "-rsf",
            "test_it.py",
        ],
        check=False,
        cwd=folder,
        env=environ | {"PYTHONPATH": str(ROOT)} | ({"CI": "true"} if ci else {}),
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("text", [SKIPPED, SKIPPED_BY_A_MARK, SKIPPED_AS_A_WHOLE])
def test_a_skip_fails_under_ci_and_says_why(tmp_path: Path, text: str) -> None:
    code, said = outcome(tmp_path, text, ci=True)
    assert code in {1, 2}
    assert "skipped, which CI does not allow: " in said
    assert "no server here" in said


@pytest.mark.parametrize("text", [SKIPPED, SKIPPED_BY_A_MARK, SKIPPED_AS_A_WHOLE])
def test_elsewhere_a_skip_is_a_skip(tmp_path: Path, text: str) -> None:
    code, said = outcome(tmp_path, text, ci=False)
    assert code in {0, 5}
    assert "1 skipped" in said


def test_an_expected_failure_is_not_a_skip(tmp_path: Path) -> None:
    code, said = outcome(tmp_path, EXPECTED_TO_FAIL, ci=True)
    assert code == 0, said
    assert "1 xfailed" in said
