"""The lock files: what `make test` and an installation put in place, to the last byte."""

import ast
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.tree import ROOT

RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"


@dataclass(frozen=True)
class Pin:
    """One package of a lock file."""

    requirement: Requirement
    hashes: int

    @property
    def version(self) -> str:
        (only,) = self.requirement.specifier
        assert only.operator == "=="
        return only.version

    @property
    def wanted_here(self) -> bool:
        """Whether this platform and this Python need it."""
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def pins(name: str) -> dict[str, list[Pin]]:
    """The packages of a lock file by their name. One may be pinned to several versions, by marker."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    found: dict[str, list[Pin]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line.partition("--hash")[0])
            pin = Pin(requirement, len(re.findall(r"--hash=sha256:[0-9a-f]{64}(?!\S)", line)))
            found.setdefault(canonicalize_name(requirement.name), []).append(pin)
    return found


def declared(*, development: bool) -> list[Requirement]:
    """What pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    names = list(project["project"]["dependencies"])
    if development:
        names += project["dependency-groups"]["dev"]
    return [Requirement(name) for name in names]


@pytest.mark.parametrize("name", [RUNTIME, DEVELOPMENT])
def test_every_declared_dependency_is_pinned_to_a_version_that_fits(name: str) -> None:
    locked = pins(name)
    for requirement in declared(development=name == DEVELOPMENT):
        for pin in locked[canonicalize_name(requirement.name)]:
            assert requirement.specifier.contains(pin.version), f"{requirement} against {pin.version}"


IMPORTED_AS = {
    "PIL": "pillow",
    "dateutil": "python-dateutil",
    "passlib": "libpass",
    "spnego": "pyspnego",
    "pydantic_core": "pydantic",  # what it is made of: its version is chosen by it
}
PACKAGES = ("config", "connectors", "store", "syncd")
TESTS = ("tests", "benchmarks", "tools")


@pytest.mark.parametrize("folders", [PACKAGES, TESTS])
def test_whatever_is_imported_is_declared(folders: tuple[str, ...]) -> None:
    known = {canonicalize_name(one.name) for one in declared(development=folders == TESTS)}
    imported = {
        name for folder in folders for path in (ROOT / folder).rglob("*.py") for name in imports(path)
    }
    others = imported - sys.stdlib_module_names - {*PACKAGES, *TESTS, "_typeshed"}
    assert not {name for name in others if canonicalize_name(IMPORTED_AS.get(name, name)) not in known}


def imports(path: Path) -> set[str]:
    """The top-level names that a module imports, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("name", [RUNTIME, DEVELOPMENT])
def test_every_pinned_package_has_the_hashes_of_its_files(name: str) -> None:
    assert all(pin.hashes for several in pins(name).values() for pin in several)


@pytest.mark.parametrize("name", [RUNTIME, DEVELOPMENT])
def test_no_address_of_a_registry_is_written_down(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_development_uses_the_versions_that_are_installed_for_users() -> None:
    runtime, development = pins(RUNTIME), pins(DEVELOPMENT)
    for name, several in runtime.items():
        assert [pin.version for pin in development[name]] == [pin.version for pin in several], name


@pytest.mark.parametrize("name", [RUNTIME, DEVELOPMENT])
def test_what_the_pinned_packages_need_is_pinned_too(name: str) -> None:
    locked = {name for name, several in pins(name).items() if any(pin.wanted_here for pin in several)}
    missing = set()
    for package in locked:
        try:
            needed = requires(package) or []
        except PackageNotFoundError:
            pytest.fail(f"{package} is pinned but not installed: run `make .venv/.ready`")
        for text in needed:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                missing |= {canonicalize_name(requirement.name)} - locked
    assert not missing


def test_the_tests_run_with_what_is_pinned() -> None:
    for name, several in pins(DEVELOPMENT).items():
        for pin in several:
            if pin.wanted_here:
                assert version(name) == pin.version, f"{name}: run `make .venv/.ready`"
