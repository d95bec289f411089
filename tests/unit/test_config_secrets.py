"""Secrets are read from where they are kept, and no error shows one."""

import os
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from config.errors import SecretError
from config.secrets import MAX_SECRET, read_secret
from config.settings import SecretRef


def secret_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "claire.secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def refused(ref: SecretRef, **environ: str) -> str:
    with pytest.raises(SecretError) as caught:
        read_secret(ref, environ=environ)
    assert "hunter2" not in str(caught.value)
    assert not isinstance(caught.value.__cause__, UnicodeError)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"hunter2", "hunter2"),
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b"hunter2\n\n", "hunter2\n"),
        (b" hunter2 \n", " hunter2 "),
        ("pässword\n".encode(), "pässword"),
    ],
)
def test_a_file_is_the_secret_but_for_one_line_end(tmp_path: Path, content: bytes, secret: str) -> None:
    assert read_secret(SecretRef(file=secret_file(tmp_path, content)), environ={}) == secret


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_a_file_of_its_owner_alone_is_read(tmp_path: Path, mode: int) -> None:
    assert read_secret(SecretRef(file=secret_file(tmp_path, b"hunter2", mode)), environ={}) == "hunter2"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o660, 0o666, 0o601])
def test_a_file_open_to_others_is_refused_and_the_remedy_is_said(tmp_path: Path, mode: int) -> None:
    path = secret_file(tmp_path, b"hunter2", mode)
    assert f"chmod 600 {path}" in refused(SecretRef(file=path))


def test_the_permissions_that_count_are_those_of_the_file_a_link_leads_to(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(secret_file(tmp_path, b"hunter2", 0o644))
    assert "chmod 600" in refused(SecretRef(file=link))


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "is empty" in refused(SecretRef(file=secret_file(tmp_path, content)))


def test_a_file_that_is_no_secret_is_refused(tmp_path: Path) -> None:
    assert "UTF-8" in refused(SecretRef(file=secret_file(tmp_path, b"hunter2\xff")))
    assert "NUL" in refused(SecretRef(file=secret_file(tmp_path, b"hunter2\x00")))
    assert "larger than" in refused(SecretRef(file=secret_file(tmp_path, b"x" * (MAX_SECRET + 1))))


def test_what_is_not_a_regular_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "not a regular file" in refused(SecretRef(file=tmp_path / "pipe"))
    assert "not a regular file" in refused(SecretRef(file=tmp_path))
    assert "not a regular file" in refused(SecretRef(file=Path("/dev/null")))


def test_a_file_that_cannot_be_opened_is_refused_with_the_reason(tmp_path: Path) -> None:
    assert "No such file" in refused(SecretRef(file=tmp_path / "missing"))
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert "symbolic links" in refused(SecretRef(file=loop))
    assert "no path" in refused(SecretRef.model_construct(file=Path("a\x00b")))


def test_an_environment_variable_is_the_secret_as_it_is() -> None:
    assert read_secret(SecretRef(env="PW"), environ={"PW": "hunter2\n"}) == "hunter2\n"
    assert "variable PW is not set" in refused(SecretRef(env="PW"))
    assert "variable PW is empty" in refused(SecretRef(env="PW"), PW="")


def test_a_systemd_credential_is_read_whatever_its_mode(tmp_path: Path) -> None:
    path = secret_file(tmp_path, b"hunter2\n", 0o440)
    ref = SecretRef(credential=path.name)
    assert read_secret(ref, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "hunter2"


def test_a_missing_systemd_credential_is_told_with_the_remedy(tmp_path: Path) -> None:
    assert "LoadCredential=claire:FILE" in refused(SecretRef(credential="claire"))
    assert "No such file" in refused(SecretRef(credential="claire"), CREDENTIALS_DIRECTORY=str(tmp_path))


class Keyring(keyring.backend.KeyringBackend):
    """A keyring with one entry, which may be locked."""

    priority = 1.0
    locked = False

    def __init__(self) -> None:
        """Not the library's own, which looks into the environment."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("hunter2 is locked")
        return "hunter2" if (service, username) == ("a/syncd", "claire@acme.example") else None


class NoKeyring(Keyring):
    """What the library offers on a machine without a keyring."""

    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.NoKeyringError("No recommended backend was available.")


@pytest.fixture
def backend() -> Iterator[Keyring]:
    before, backend = keyring.get_keyring(), Keyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_a_keyring_entry_is_read_by_service_and_user_name(backend: Keyring) -> None:
    assert read_secret(SecretRef(keyring="a/syncd/claire@acme.example"), environ={}) == "hunter2"


def test_a_missing_keyring_entry_is_told_with_the_remedy(backend: Keyring) -> None:
    assert "keyring set syncd marc" in refused(SecretRef(keyring="syncd/marc"))


def test_a_locked_keyring_is_told(backend: Keyring) -> None:
    backend.locked = True
    assert "unlock" in refused(SecretRef(keyring="syncd/claire"))


def test_a_machine_without_a_keyring_is_told_what_to_use_instead(backend: Keyring) -> None:
    keyring.set_keyring(NoKeyring())
    assert "systemd credential" in refused(SecretRef(keyring="syncd/claire"))
