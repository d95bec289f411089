"""The documentation says what is so."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement

from config.load import load
from syncd.cli.main import app
from tests.packaging.tree import ROOT, files

PAGES = [path for path in files() if path.suffix == ".md"]
VERB = re.compile(r"(?:`|\$ |^ *|/bin/)syncd(?: --config \S+)? ([a-z]+)(?=[ `\n])", re.MULTILINE)


def test_the_config_reference_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.reference", "--check"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_readmes_config_is_a_valid_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    config = tmp_path / "syncd.toml"
    config.write_text(text, encoding="utf-8")
    assert [box.name for box in load(config).mailboxes] == ["claire"]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_verb_that_a_page_names_exists(page: Path) -> None:
    group = typer.main.get_command(app)
    known = set(group.commands)  # type: ignore[attr-defined]  # typer gives a group for an app with verbs
    named = {found[1] for found in VERB.finditer((ROOT / page).read_text("utf-8"))}
    assert named <= known


def test_every_runtime_dependency_has_its_line_among_the_decisions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (page,) = (ROOT / "docs" / "decisions").glob("008-*.md")
    text = page.read_text("utf-8").lower()
    missing = [
        name for text_ in project["dependencies"] if f"| {(name := Requirement(text_).name)} |" not in text
    ]
    assert not missing


def test_the_changelog_names_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
