"""Secrets, read from where the configuration says they are, at the moment they are needed.

Nothing is kept here and no message holds a secret. What a file's permissions must be is R107.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from config.errors import SecretError
from config.settings import SecretRef

MAX_SECRET = 64 * 1024  # the longest tokens in use are a few KiB

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_secret(ref: SecretRef, *, environ: Mapping[str, str]) -> str:
    """The secret itself. A relative `ref.file` is relative to the working directory: `load` has made it
    absolute. Raises SecretError, and nothing else."""
    if ref.file is not None:
        return _from_file(ref.file, private=True)
    if ref.env is not None:
        return _from_environment(ref.env, environ)
    if ref.credential is not None:
        return _from_credential(ref.credential, environ)
    return _from_keyring(ref.keyring or "")


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise SecretError(f"the environment variable {name} is not set; set it for the service")
    return _text(environ[name], f"the environment variable {name}")


def _from_credential(name: str, environ: Mapping[str, str]) -> str:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise SecretError(
            f"there is no credential {name}: CREDENTIALS_DIRECTORY is not set; "
            f"start the service by systemd with LoadCredential={name}:FILE"
        )
    # systemd has set who may read it: the files may belong to root and be opened by an ACL.
    return _from_file(Path(folder) / name, private=False)


def _from_file(path: Path, *, private: bool) -> str:
    try:
        # Without O_NONBLOCK a named pipe without a writer would hold up the whole service.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", closefd=True) as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise SecretError(f"{path} is not a regular file; give a file that holds only the secret")
            if private and status.st_mode & _OTHERS:
                raise SecretError(f"{path} is open to other users of this machine; run: chmod 600 {path}")
            raw = file.read(MAX_SECRET + 1)
    except IsADirectoryError:
        raise SecretError(f"{path} is not a regular file; give a file that holds only the secret") from None
    except OSError as error:
        raise SecretError(f"{path} cannot be read: {error.strerror}; {_advice(error)}") from error
    except ValueError:
        raise SecretError(f"{str(path)!r} is no path of a file") from None
    if len(raw) > MAX_SECRET:
        raise SecretError(f"{path} is larger than {MAX_SECRET // 1024} KiB: this is no secret")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        # Not chained: the error carries the octets.
        raise SecretError(f"{path} is not UTF-8 text; save it in that encoding") from None
    return _text(text.removesuffix("\n").removesuffix("\r"), str(path))


def _advice(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "create it with only the secret in it, mode 600"
    if isinstance(error, PermissionError):
        return "it must belong to the user that runs the service"
    return "mend the file or name another one"


def _from_keyring(entry: str) -> str:
    # A heavy import, and one that looks for a desktop's session bus.
    import keyring
    import keyring.errors

    service, _, username = entry.rpartition("/")
    try:
        secret = keyring.get_password(service, username)
    except keyring.errors.NoKeyringError:
        raise SecretError(
            f"the keyring entry {entry} cannot be read: this machine has no keyring; "
            "use a file or a systemd credential"
        ) from None
    except (keyring.errors.KeyringError, OSError, RuntimeError) as error:
        kind = type(error).__name__
        raise SecretError(f"the keyring entry {entry} cannot be read ({kind}); unlock the keyring") from error
    if secret is None:
        raise SecretError(f"the keyring has no entry {entry}; run: keyring set {service} {username}")
    return _text(secret, f"the keyring entry {entry}")


def _text(secret: str, where: str) -> str:
    if not secret:
        raise SecretError(f"{where} is empty; put the secret there")
    if "\x00" in secret:
        raise SecretError(f"{where} holds a NUL character: this is no secret")
    return secret
