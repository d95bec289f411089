"""The files that come with the package: the commented default, the examples, and the JSON Schema."""

import datetime as dt
import json
import re
import tomllib
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import config
from config.load import default_text, load
from config.schema import json_schema
from config.settings import Section, Settings
from config.sources import PATH_KEYS

PACKAGE = Path(config.__file__ or "").parent
EXAMPLES = sorted(path for path in PACKAGE.glob("examples/**/*.toml") if path.parent.name != "conf.d")
ENVIRON = {"SYNCD_DB_PASSWORD": "x"}
SCHEMA = json_schema()

_DEFAULT = re.compile(r"(?m)^#(?=[a-z0-9_]+ = )")
_EXAMPLE = re.compile(r"(?m)^#\| ?")
WITH_EXAMPLE = _EXAMPLE.sub("", default_text())
WITH_ALL = _DEFAULT.sub("", WITH_EXAMPLE)


def loaded(folder: Path, text: str) -> Settings:
    (folder / "syncd.toml").write_text(text, encoding="utf-8")
    return load(folder / "syncd.toml", environ={})


def sections(root: type[Section] = Settings) -> set[type[Section]]:
    """Every kind of table that can be reached from the settings."""
    found, annotations = {root}, [field.annotation for field in root.model_fields.values()]
    while annotations:
        one = annotations.pop()
        annotations += get_args(one)
        if isinstance(one, type) and not get_args(one) and issubclass(one, Section):
            found |= sections(one)
    return found


def keys_of(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for item in value.values() for key in keys_of(item)}
    return {key for item in value for key in keys_of(item)} if isinstance(value, list) else set()


def as_json(text: str) -> object:
    """A TOML document as the JSON that means the same; TOML's dates are text there."""
    return json.loads(json.dumps(tomllib.loads(text), default=dt.date.isoformat))


def test_the_default_loads_as_it_is(tmp_path: Path) -> None:
    assert loaded(tmp_path, default_text()).workspace.name == "Acme"


def test_what_the_default_shows_as_defaults_are_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    without, with_all = loaded(tmp_path / "a", WITH_EXAMPLE), loaded(tmp_path / "b", WITH_ALL)
    assert with_all.mail == without.mail
    assert with_all.workspace == without.workspace
    assert with_all.schedule == without.schedule
    assert with_all.calendar.window == without.calendar.window
    assert with_all.calendar.brake == without.calendar.brake
    assert with_all.calendar.default_alarm == without.calendar.default_alarm
    assert with_all.calendar.conflict.default == without.calendar.conflict.default
    dav, same = with_all.servers["corp"].caldav, without.servers["corp"].caldav
    assert dav is not None
    assert same is not None
    assert (dav.auth, dav.timeout) == (same.auth, same.timeout)
    ews, own = with_all.servers["office"].ews, without.servers["office"].ews
    assert ews is not None
    assert own is not None
    assert (ews.auth, ews.timeout) == (own.auth, own.timeout)
    assert [box.invitations for box in with_all.mailboxes] == ["send", "send", "send"]
    assert with_all.logging == without.logging
    assert with_all.users == without.users
    imap, other = with_all.servers["corp"].imap, without.servers["corp"].imap
    assert imap is not None
    assert other is not None
    assert (imap.effective_port, imap.security, imap.timeout) == (
        other.effective_port,
        other.security,
        other.timeout,
    )
    assert imap.port == 993
    assert (other.port, imap.auth) == (None, other.auth)
    # The two files lie in two folders: their relative paths differ, and nothing else.
    pairs = zip(with_all.mailboxes, without.mailboxes, strict=True)
    assert all(re.sub("/[ab]/", "/", repr(a)) == re.sub("/[ab]/", "/", repr(b)) for a, b in pairs)


def test_every_key_with_a_default_is_shown_with_it() -> None:
    shown = set(re.findall(r"(?m)^#([a-z0-9_]+) = ", default_text()))
    for section in sections():
        for key, field in section.model_fields.items():
            has_default = field.default not in {PydanticUndefined, None} if _hashable(field.default) else True
            if has_default and not isinstance(field.default, BaseModel) and section is not Settings:
                assert key in shown or key in {"exclude", "lines"}, f"{section.__name__}.{key}"


def _hashable(value: object) -> bool:
    return value.__hash__ is not None


def test_every_key_there_is_stands_in_the_default() -> None:
    written = keys_of(tomllib.loads(WITH_ALL))
    known = {field.alias or key for section in sections() for key, field in section.model_fields.items()}
    # The other ways to keep a secret are in a comment: only one can be written.
    assert known - written == {"env", "credential", "keyring"}
    for key in known - written:
        assert f"{{ {key} = " in default_text()


@pytest.mark.parametrize("path", EXAMPLES, ids=[str(path.relative_to(PACKAGE)) for path in EXAMPLES])
def test_every_example_loads(path: Path) -> None:
    settings = load(path, environ=ENVIRON)
    assert settings.mailboxes
    assert settings.own_addresses()


def test_there_is_an_example_for_each_kind_of_installation() -> None:
    installations = {
        path.relative_to(PACKAGE / "examples").parts[0]: load(path, environ=ENVIRON) for path in EXAMPLES
    }
    assert set(installations) == {
        "sqlite-dovecot.toml",
        "gmail-oauth2.toml",
        "microsoft-oauth2.toml",
        "postgresql-systemd.toml",
        "one-file-per-user",
        "caldav.toml",
        "exchange.toml",
    }
    providers = {
        name: {mailbox.oauth2.provider for mailbox in settings.mailboxes if mailbox.oauth2}
        for name, settings in installations.items()
    }
    assert providers["gmail-oauth2.toml"] == {"google"}
    assert providers["microsoft-oauth2.toml"] == {"microsoft"}
    assert len(installations["one-file-per-user"].mailboxes) == 2
    assert all(
        m.password and m.password.credential for m in installations["postgresql-systemd.toml"].mailboxes
    )


def test_mail_addresses_in_examples_are_of_nobody() -> None:
    for path in [PACKAGE / "syncd.toml", *PACKAGE.glob("examples/**/*.toml")]:
        domains = re.findall(r"@([A-Za-z0-9.-]+)\"", path.read_text(encoding="utf-8"))
        assert all(domain.endswith((".example", ".test")) for domain in domains), path


def test_the_schema_is_valid_and_of_the_current_draft() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    json.dumps(SCHEMA)


@pytest.mark.parametrize(
    "text",
    [default_text(), WITH_EXAMPLE, WITH_ALL, *(path.read_text(encoding="utf-8") for path in EXAMPLES)],
)
def test_the_schema_accepts_what_loads(text: str) -> None:
    jsonschema.validate(as_json(text), SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "mistake",
    [
        "[x]",
        "[mail]\nsince = 'ever'",
        "[mail]\nmax_attachment = 'big'",
        "[mail]\nfollow_threads = 1",
        "[schedule]\ninterval = 60",
        "[schedule]\nworkers = 0",
        "[calendar.window]\npast = 'long'",
        "[calendar.conflict]\nnotes = 'oldest'",
        "[calendar.brake]\ncount = 0",
        "[calendar]\ndefault_alarm = -1",
        "[servers.a.caldav]\nurl = 'https://a.test/'\nauth = 'ntlm'",
        "[logging]\nlevel = 'loud'",
        "[servers.a.imap]\nhost = 'a.test'\nsecurity = 'ssl'",
        "[[users]]\nlogin = 'a b'\nname = 'a'\nemail = 'a@b.test'",
        "[[mailboxes]]\nname = 'a'",
    ],
)
def test_the_schema_refuses_what_does_not_load(mistake: str) -> None:
    text = f"workspace.name = 'Acme'\nstore.url = 'sqlite:///crm.db'\n{mistake}\n"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_json(text), SCHEMA, cls=jsonschema.Draft202012Validator)


def test_every_key_has_a_description() -> None:
    for section in sections():
        for key, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{key}"
    for name, definition in SCHEMA["$defs"].items():
        assert definition.get("description"), name


def test_every_default_in_the_schema_is_one_an_admin_can_write() -> None:
    for definition in SCHEMA["$defs"].values():
        for key, value in definition.get("properties", {}).items():
            if "default" in value:
                jsonschema.validate(value["default"], {**value, "$defs": SCHEMA["$defs"]})
                assert value["default"] is not None, key


def test_the_keys_that_hold_paths_are_the_ones_made_absolute() -> None:
    paths = {
        key
        for section in sections()
        for key, field in section.model_fields.items()
        if "Path" in repr(field.annotation)
    }
    assert paths == PATH_KEYS
