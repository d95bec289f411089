"""What is handed on says nothing of the machine that it was written on, and points to nothing missing."""

import re
from pathlib import Path

from tests.packaging import tree
from tests.packaging.tree import ROOT

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
TEST = re.compile(r"\btests/[\w/]+(?:\.py)?")
PAGES = [path for path in tree.files() if path.suffix == ".md"]


def needles() -> list[bytes]:
    """Put together here, so that this file does not hold them."""
    slash, dot = "/", "."
    places = [slash + name + slash for name in ("work", "root")]
    hosts = [
        name + dot + end for name, end in (("pypi", "org"), ("pythonhosted", "org"), ("deb.debian", "org"))
    ]
    own = [f"{place}{slash}" for place in (ROOT, Path.home()) if len(place.parts) > 2]
    return [text.encode() for text in (*places, *hosts, *own)]


def test_no_file_names_a_place_of_the_developers_machine_or_a_registry() -> None:
    found = [
        f"{path}: {needle.decode()}"
        for path in tree.files()
        for needle in needles()
        if needle in (ROOT / path).read_bytes()
    ]
    assert not found


def test_every_link_of_the_documentation_leads_to_a_file() -> None:
    missing = [
        f"{page}: {target}"
        for page in PAGES
        for target in LINK.findall((ROOT / page).read_text("utf-8"))
        if "://" not in target and not (ROOT / page.parent / target).exists()
    ]
    assert not missing


def test_every_test_that_the_documentation_names_exists() -> None:
    named = {(page, name) for page in PAGES for name in TEST.findall((ROOT / page).read_text("utf-8"))}
    assert named
    assert not [f"{page}: {name}" for page, name in named if not (ROOT / name).exists()]
