"""What is installed: built as for a release, put into a fresh environment, used from outside the checkout."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.packaging import tree

PACKAGES = {"config", "connectors", "store", "syncd"}


@dataclass(frozen=True)
class Built:
    """The distribution, as files."""

    wheel: Path
    sdist: Path

    def in_wheel(self) -> set[str]:
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    def in_sdist(self) -> set[str]:
        """Names without the leading folder."""
        with tarfile.open(self.sdist) as archive:
            return {member.name.partition("/")[2] for member in archive if member.isfile()}

    def read(self, ending: str) -> str:
        """The text of the wheel's only file whose name ends so."""
        with zipfile.ZipFile(self.wheel) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith(ending)]
            return archive.read(name).decode()


@dataclass(frozen=True)
class Installed:
    """The distribution in an environment of its own."""

    venv: Path

    def run(
        self, program: str, arguments: Sequence[str | Path], cwd: Path
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program of the environment, with an environment that knows nothing of the checkout."""
        return subprocess.run(
            [str(self.venv / "bin" / program), *map(str, arguments)],
            check=False,
            cwd=cwd,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(cwd)},
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The source distribution, and the wheel that was built from it."""
    source = tree.copy(tmp_path_factory.mktemp("source"))
    dist = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist), str(source)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = dist.glob("*.whl")
    (sdist,) = dist.glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A fresh environment with the wheel in it; its dependencies are those of the tests."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
            *("--no-index", "--no-deps", "--disable-pip-version-check", str(built.wheel)),
        ],
        check=True,
        env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
    )
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(venv)


def test_the_wheel_claims_four_top_level_names_and_no_other(built: Built) -> None:
    tops = {name.partition("/")[0] for name in built.in_wheel()}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


def test_the_wheel_holds_every_module_of_the_checkout(built: Built) -> None:
    modules = {str(p) for p in tree.files() if p.parts[0] in PACKAGES and p.suffix == ".py"}
    assert modules
    assert modules <= built.in_wheel()


def test_the_wheel_holds_what_is_not_python(built: Built) -> None:
    others = {str(p) for p in tree.files() if p.parts[0] in PACKAGES and p.suffix != ".py"}
    assert {f"{package}/py.typed" for package in PACKAGES} <= others
    assert "store/migrations/script.py.mako" in others
    assert "config/examples/one-file-per-user/conf.d/claire.toml" in others
    assert "config/locale/fr/LC_MESSAGES/syncd.mo" in others
    assert others <= built.in_wheel()


def test_the_wheel_names_its_licence_and_the_python_it_needs(built: Built) -> None:
    metadata = HeaderParser().parsestr(built.read(".dist-info/METADATA"))
    assert metadata["Name"] == "crm-syncd"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Apache License" in built.read(".dist-info/licenses/LICENSE")


def test_the_wheel_has_one_program(built: Built) -> None:
    lines = [line for line in built.read(".dist-info/entry_points.txt").splitlines() if line]
    assert lines == ["[console_scripts]", "syncd = syncd.cli.main:main"]


def test_the_source_distribution_is_complete(built: Built) -> None:
    names = built.in_sdist()
    ours = {str(path) for path in tree.files() if path.parts[0] in PACKAGES | {"docs", "systemd", "tests"}}
    assert ours <= names
    assert {
        "LICENSE", "README.md", "CHANGELOG.md", "Makefile", "pyproject.toml", "requirements.lock",
        "requirements-dev.lock", "tools/bootstrap.sh",
    } <= names  # fmt: skip


def test_installed_it_runs_from_its_own_environment(installed: Installed, tmp_path: Path) -> None:
    code = "import config, connectors, store, syncd; print(config.__file__, syncd.__file__, sep='\\n')"
    done = installed.run("python", ["-c", code], tmp_path)
    assert all(line.startswith(str(installed.venv)) for line in done.stdout.splitlines()), done


def test_installed_it_tells_its_version_and_its_verbs(installed: Installed, tmp_path: Path) -> None:
    assert installed.run("syncd", ["--version"], tmp_path).stdout == "syncd 0.1.0\n"
    done = installed.run("syncd", ["--help"], tmp_path)
    assert done.returncode == 0, done.stderr
    verbs = "init check doctor run sync status pause resume stop explain audit show list import db"
    assert set(verbs.split()) <= set(done.stdout.split())


def test_a_new_installation_goes_from_nothing_to_a_database(installed: Installed, tmp_path: Path) -> None:
    config = tmp_path / "etc" / "syncd.toml"
    assert installed.run("syncd", ["init", config], tmp_path).returncode == 0
    for verb in ("check", "db upgrade"):
        done = installed.run("syncd", ["--config", config, *verb.split()], tmp_path)
        assert done.returncode == 0, (verb, done)
    assert (config.parent / "crm.db").stat().st_size > 0
    done = installed.run("syncd", ["--config", config, "status"], tmp_path)
    assert done.returncode == 0, done
