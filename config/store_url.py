"""The database URL: which ones are accepted, and how a password gets into one without being in a file.

No message of this module holds any part of a URL. Connecting is the store's work.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr

FORMS = "sqlite:///FILE or postgresql+psycopg://USER:${VARIABLE}@HOST/DATABASE"

_SQLITE, _POSTGRESQL = "sqlite:///", "postgresql+psycopg://"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ONLY_VARIABLES = re.compile(rf"(?:{_VARIABLE.pattern})*")
# As SQLAlchemy reads it: a password may hold any character but the at sign.
_USERINFO = re.compile(r"(?P<before>\s*[A-Za-z0-9+._-]+://)(?P<user>[^:/@]*)(?::(?P<password>[^@]*))?@")
_PASSWORD_OPTION = re.compile(r"[?&](?:ssl)?password=(?P<password>[^&#]*)", re.IGNORECASE)


def acceptable(value: SecretStr) -> SecretStr:
    """`value` if it is the URL of one of the two databases the CRM can be kept in, else ValueError."""
    text = value.get_secret_value()
    if _CONTROL.search(text):
        raise ValueError("must be one line of text without control characters")
    if text.startswith(_POSTGRESQL) and text != _POSTGRESQL:
        return value
    if not text.startswith(_SQLITE):
        raise ValueError(f"must be {FORMS}")
    name = _sqlite_name(text)
    if not name or name.endswith("/") or name.startswith((":", "file:")):
        raise ValueError("must name a file after sqlite:///; a database in memory is not kept")
    return value


def sqlite_file(url: SecretStr) -> Path | None:
    """The file of a SQLite URL, None for another database."""
    text = url.get_secret_value()
    return Path(_sqlite_name(text)) if text.startswith(_SQLITE) else None


def resolve(text: str, *, folder: Path, environ: Mapping[str, str]) -> str:
    """The URL that `text` of a file in `folder` stands for: variables replaced, a SQLite file absolute.

    A variable within the user name or the password is percent-encoded, so that it can hold any
    character; elsewhere it is taken as it is. Raises ValueError where a password is written in clear or
    a variable is not set.
    """
    userinfo = _USERINFO.match(text)
    options = _PASSWORD_OPTION.findall(text)
    for password in [*options, (userinfo["password"] or "") if userinfo else ""]:
        if not _ONLY_VARIABLES.fullmatch(password):
            raise ValueError(
                "holds a password in clear; put it in an environment variable and write "
                "postgresql+psycopg://USER:${VARIABLE}@HOST/DATABASE"
            )
    if "${" in _VARIABLE.sub("", text):
        raise ValueError(
            "holds a ${ that begins no variable; write ${NAME} with letters, digits, underscores"
        )
    missing = sorted({name for name in _VARIABLE.findall(text) if name not in environ})
    if missing:
        raise ValueError(f"the environment variable {', '.join(missing)} is not set")
    encoded = text[: userinfo.end()] if userinfo else ""
    url = _VARIABLE.sub(lambda found: quote(environ[found[1]], safe=""), encoded)
    url += _VARIABLE.sub(lambda found: environ[found[1]], text[len(encoded) :])
    if url.startswith(_SQLITE) and not url.startswith((_SQLITE + ":", _SQLITE + "file:")):
        name = _sqlite_name(url)
        return f"{_SQLITE}{folder.absolute() / name}{url[len(_SQLITE) + len(name) :]}" if name else url
    return url


def _sqlite_name(url: str) -> str:
    return url.removeprefix(_SQLITE).partition("?")[0]
