"""Every mistake an admin can make is told with its file, its line, its key and what is accepted."""

from pathlib import Path

import pytest

from config.errors import ConfigError, Problem
from config.load import load

BASE = """\
[workspace]
name = "Acme"
[store]
url = "sqlite:///crm.db"
[servers.corp.imap]
host = "imap.acme.example"
[servers.empty]
[[users]]
login = "claire"
name = "Claire Dupont"
email = "claire@acme.example"
[[mailboxes]]
name = "claire"
user = "claire"
server = "corp"
username = "claire@acme.example"
password = { file = "claire.secret" }
"""
PASSWORD = 'password = { file = "claire.secret" }'
SECOND = """\
[[mailboxes]]
name = "CLAIRE"
user = "claire"
server = "corp"
username = "second"
password = { env = "SECOND" }
"""
OAUTH2 = 'oauth2 = { client_id = "x", provider = "google", refresh_token = { env = "T" } }'


def problems_of(folder: Path, text: str, **drop_ins: str) -> list[Problem]:
    main = folder / "syncd.toml"
    main.write_text(text, encoding="utf-8")
    for name, content in drop_ins.items():
        (folder / "conf.d").mkdir(exist_ok=True)
        (folder / "conf.d" / f"{name}.toml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(main, environ={})
    return caught.value.problems


def changed(old: str, new: str) -> str:
    assert BASE.count(old) == 1
    return BASE.replace(old, new)


def line_of(text: str, mark: str) -> int:
    assert text.count(mark) == 1
    return text[: text.index(mark)].count("\n") + 1


CASES = [
    # what is replaced, by what, a mark on the line of the mistake, its key, words of the message
    ('name = "Acme"', "name = 3", "name = 3", "workspace.name", "text in quotes"),
    ('name = "Acme"', 'name = ""', 'name = ""', "workspace.name", "not be empty"),
    ('name = "Acme"', 'name = "A\\nB"', 'name = "A', "workspace.name", "one line"),
    ('name = "Acme"', "name = 2026-01-01", "name = 2026", "workspace.name", "text in quotes"),
    ('name = "Acme"', 'name = "Acme"\nnaem = 1', "naem", "workspace.naem", 'did you mean "name"'),
    ('name = "Acme"', 'name = "A"\nzzz = 1', "zzz", "workspace.zzz", "currency, default_country"),
    ('name = "Acme"', "", "[workspace]", "workspace.name", "is required"),
    ("[store]", "[logging]\nlevel = 'loud'\n[store]", "level", "logging.level", '"debug", "info"'),
    ("[store]", "[schedule]\nworkers = 65\n[store]", "workers", "schedule.workers", "at most 64"),
    ("[store]", "[schedule]\nworkers = 0\n[store]", "workers", "schedule.workers", "at least 1"),
    ("[store]", "[schedule]\nworkers = '8'\n[store]", "workers", "schedule.workers", "whole number"),
    ("[store]", "[schedule]\ninterval = 60\n[store]", "interval", "schedule.interval", '"60s"'),
    ("[store]", "[schedule]\ninterval = '0s'\n[store]", "interval", "schedule.interval", "longer than"),
    ("[store]", "[schedule]\njitter = 'soon'\n[store]", "jitter", "schedule.jitter", '"2h30m"'),
    ("[store]", "[mail]\nsince = 'ever'\n[store]", "since", "mail.since", '"2026-01-31"'),
    ("[store]", "[mail]\nsince = 2026-01-31T00:00:00Z\n[store]", "since", "mail.since", '"90d"'),
    ("[store]", "[mail]\nmax_attachment = '9 PB'\n[store]", "9 PB", "mail.max_attachment", '"25MiB"'),
    ("[store]", "[mail]\nmatch_domains = 1\n[store]", "match", "mail.match_domains", "true or false"),
    ("[store]", "[mail]\nprivate_keywords = 'x'\n[store]", "'x'", "mail.private_keywords", "a list"),
    ("[store]", "[mail]\nexclude = [\n{},\n]\n[store]", "{},", "mail.exclude[0]", "at least one of"),
    ("[store]", "[[mail.exclude]]\n[store]", "[[mail.", "mail.exclude[0]", "at least one of"),
    ("[store]", "[mail]\nexclude = [{ to = 'x' }]\n[store]", "to =", "mail.exclude[0].to", "address"),
    ('name = "Acme"', 'name = "A"\ntimezone = "Paris"', "zone", "workspace.timezone", "Europe/Paris"),
    ('name = "Acme"', 'name = "A"\ncurrency = "€"', "curr", "workspace.currency", "ISO 4217"),
    ('name = "Acme"', 'name = "A"\ndefault_country = "fr"', "fr", "workspace.default_country", "ISO"),
    ("[store]", "mali = 1\n[store]", "mali", "workspace.mali", "known"),
    ("[workspace]", "mial = {}\n[workspace]", "mial", "mial", 'did you mean "mail"'),
    ("[workspace]", "mail = 3\n[workspace]", "mail = 3", "mail", "a table"),
    # the store
    ("sqlite:///crm.db", "sqlite://", "url", "store.url", "sqlite:///FILE"),
    ("sqlite:///crm.db", "sqlite:///:memory:", "url", "store.url", "in memory"),
    ("sqlite:///crm.db", "mysql://h/db", "url", "store.url", "postgresql+psycopg://"),
    ("sqlite:///crm.db", "postgresql://h/db", "url", "store.url", "postgresql+psycopg://"),
    ("sqlite:///crm.db", "postgresql+psycopg://h/db", "[store]", "store.state_dir", "required with Post"),
    ("sqlite:///crm.db", "sqlite:///${NOWHERE}/x", "url", "store.url", "variable NOWHERE is not set"),
    ("sqlite:///crm.db", "sqlite:///${}/x", "url", "store.url", "${NAME}"),
    ("[servers.corp", "state_dir = ''\n[servers.corp", "state", "store.state_dir", "a file or directory"),
    ("[servers.corp", "state_dir = 3\n[servers.corp", "state", "store.state_dir", "text in quotes"),
    # servers
    ("imap.acme.example", "imap://imap.acme.example", "host", "servers.corp.imap.host", "without scheme"),
    ("imap.acme.example", "imap.acme.example:993", "host", "servers.corp.imap.host", "port"),
    ("[servers.empty]", "port = 0\n[servers.empty]", "port", "servers.corp.imap.port", "993 with tls"),
    ("[servers.empty]", "security = 'ssl'\n[servers.empty]", "ssl", "servers.corp.imap.security", "tls"),
    ("[servers.empty]", "security='none'\n[servers.empty]", "none", "servers.corp.imap.security", "::1"),
    ("[servers.empty]", "ca_file = ''\n[servers.empty]", "ca_", "servers.corp.imap.ca_file", "path"),
    ("[servers.empty]", "[servers.empty.imapp]", "imapp", "servers.empty.imapp", 'did you mean "imap"'),
    ("[servers.empty]", "[servers.dav.caldav]", "dav.caldav", "servers.dav.caldav.url", "is required"),
    ("[servers.empty]", "[servers.dav.caldav]\nurl = 'http://dav.test/'", "http://", "servers.dav.caldav.url",
     "https"),
    ("[servers.empty]", "[servers.dav.caldav]\nurl = 'dav.test'", "'dav.test", "servers.dav.caldav.url",
     "https"),
    ("[servers.empty]", "[servers.dav.caldav]\nurl='https://dav.test/'\nauth='ntlm'", "auth",
     "servers.dav.caldav.auth", '"digest"'),
    ("[servers.empty]", "[servers.ex.ews]\nurl='http://ex.test/'", "http://", "servers.ex.ews.url", "https"),
    ("[servers.empty]", "[servers.ex.ews]\nurl='ex.test'", "'ex.test", "servers.ex.ews.url", "https"),
    ("[servers.empty]", "[servers.ex.ews]\nurl='autodiscover'\nauth='digest'", "auth",
     "servers.ex.ews.auth", '"ntlm"'),
    # calendars
    ("[servers.empty]", "[calendar.windows]", "windows", "calendar.windows", 'did you mean "window"'),
    ("[servers.empty]", "[calendar.window]\npast = 30", "past", "calendar.window.past", "30d"),
    ("[servers.empty]", "[calendar.conflict]\nnotes = 'mine'", "notes", "calendar.conflict.notes",
     '"newest"'),
    ("[servers.empty]", "[calendar.conflict]\nnote = 'crm'", "note", "calendar.conflict.note",
     'did you mean "notes"'),
    ("[servers.empty]", "[calendar.brake]\ncount = 0", "count", "calendar.brake.count", "1"),
    ("[servers.empty]", "[calendar.brake]\npercent = 101", "percent", "calendar.brake.percent", "100"),
    ("[servers.empty]", "[calendar]\ndefault_alarm = 40321", "default_alarm", "calendar.default_alarm",
     "40320"),
    # users
    ("[[mailboxes]]", "[[users]]\nlogin='a b'\nname='x'\nemail='x@b.test'\n[[mailboxes]]", "a b",
     "users[1].login", "letters, digits"),
    ("claire@acme.example\"\n[[", "claire\"\n[[", "email", "users[0].email", "claire@acme.example"),
    ('name = "Claire Dupont"', "name = 'C'\nrole = 'root'", "role", "users[0].role", '"standard"'),
    ('name = "Claire Dupont"', "name = 'C'\naliases = ['a@b.test',\n'<b>']", "'<b>'", "users[0].aliases[1]",
     "e-mail address"),
    ('name = "Claire Dupont"', "name = 'C'\naliases = [\n'CLAIRE@acme.example']", "'CLAIRE",
     "users[0].aliases[0]", "already the address of a user"),
    ("[[mailboxes]]", "[[users]]\nlogin='Claire'\nname='x'\nemail='x@acme.example'\n[[mailboxes]]",
     "login='Claire'", "users[1].login", "taken already"),
    ("[[mailboxes]]", "[[users]]\nlogin='x'\nname='x'\nemail='Claire@acme.example'\n[[mailboxes]]",
     "email='Claire", "users[1].email", "already the address of a user"),
    # mailboxes
    ('user = "claire"', 'user = "clair"', "user = ", "mailboxes[0].user", 'did you mean "claire"'),
    ('user = "claire"', "user = true", "user = ", "mailboxes[0].user", "text in quotes"),
    ('server = "corp"', 'server = "crop"', "server = ", "mailboxes[0].server", 'did you mean "corp"'),
    ('server = "corp"', 'server = "empty"', "server = ", "mailboxes[0].server", "[servers.empty.imap]"),
    ("password =", "access = 'impersonate'\npassword =", "access", "mailboxes[0].access",
     "[servers.corp.ews]"),
    ("password =", "address = 'c@acme.example'\npassword =", "address", "mailboxes[0].address",
     "[servers.corp.ews]"),
    ("password =", "#", "[[mailboxes]]", "mailboxes[0].oauth2", "exactly one of password and oauth2"),
    ("password =", f"{OAUTH2}\npassword =", "oauth2", "mailboxes[0].oauth2", "both are given"),
    ("password =", "sync = []\npassword =", "sync", "mailboxes[0].sync", "at least one"),
    ("password =", "sync = ['mail',\n'calendar']\npassword =", 'server = "corp"', "mailboxes[0].server",
     "[servers.corp.caldav], which calendar needs"),
    ("password =", "calendars = []\npassword =", "calendars", "mailboxes[0].calendars", "at least one"),
    ("password =", "calendars = ['A', { name = 'A' }]\npassword =", "calendars", "mailboxes[0].calendars",
     "each once"),
    ("password =", "calendars = [{ direction = 'both' }]\npassword =", "calendars",
     "mailboxes[0].calendars[0].url", "exactly one of name and url"),
    ("password =", "calendars = [{ name = 'A', url = '/a/' }]\npassword =", "calendars",
     "mailboxes[0].calendars[0].url", "exactly one of name and url"),
    ("password =", "invitations = 'ask'\npassword =", "invitations", "mailboxes[0].invitations", '"never"'),
    ('name = "Claire Dupont"', "name = 'C'\nshow_reminders = 'yes'", "show", "users[0].show_reminders",
     "true"),
    ("password =", "sync = ['mails']\npassword =", "sync", "mailboxes[0].sync[0]", '"mail"'),
    ("password =", "direction = 'to-remote'\npassword =", "direction", "mailboxes[0].direction", "to-crm"),
    ("password =", "direction = 'both ways'\npassword =", "dire", "mailboxes[0].direction", '"to-crm"'),
    ("password =", "mail_folders = []\npassword =", "mail_f", "mailboxes[0].mail_folders", "at least one"),
    ("password =", "mail_folders = ['']\npassword =", "['']", "mailboxes[0].mail_folders[0]", "empty"),
    ("password =", "pasword = 3\npassword =", "pasword = 3", "mailboxes[0].pasword", '"password"'),
    ("[[mailboxes]]", f"{SECOND}[[mailboxes]]", 'name = "claire"', "mailboxes[1].name", "taken already"),
    # secrets
    ('{ file = "claire.secret" }', "'x'", "password", "mailboxes[0].password", "{ file = "),
    ('{ file = "claire.secret" }', "{}", "password", "mailboxes[0].password", "exactly one of"),
    ('file = "claire.secret"', "file = 'a', env = 'B'", "password", "mailboxes[0].password.env",
     "file is given already"),
    ('file = "claire.secret"', "file = ''", "password", "mailboxes[0].password.file", "path"),
    ('file = "claire.secret"', "file = 'a\\u0000b'".replace("'", '"'), "password",
     "mailboxes[0].password.file", "path"),
    ('file = "claire.secret"', "env = 'a b'", "password", "mailboxes[0].password.env", "letters, digits"),
    ('file = "claire.secret"', "credential = '../x'", "password", "mailboxes[0].password.credential",
     "systemd credential"),
    ('file = "claire.secret"', "keyring = 'x'", "password", "mailboxes[0].password.keyring",
     "service/username"),
    ('file = "claire.secret"', "path = 'x'", "password", "mailboxes[0].password.path", "file, keyring"),
    # OAuth 2.0
    (PASSWORD, OAUTH2.replace("google", "other"), "oauth2",
     "mailboxes[0].oauth2.token_url", "required"),
    (PASSWORD, OAUTH2.replace("provider", "token_url = 'http://h.test/', provider"), "oauth2",
     "mailboxes[0].oauth2.token_url", "https://"),
    (PASSWORD, "oauth2 = { client_id = 'x', provider = 'google' }",
     "oauth2", "mailboxes[0].oauth2.refresh_token", 'flow = "refresh"'),
    (PASSWORD,
     "oauth2 = { client_id = 'x', provider = 'microsoft', tenant = 'a.test', flow = 'client-credentials' }",
     "oauth2", "mailboxes[0].oauth2.client_secret", 'flow = "client-credentials"'),
    (PASSWORD, OAUTH2.replace("provider", "flow = 'client-credentials', provider"), "oauth2",
     "mailboxes[0].oauth2.flow", 'use flow = "refresh"'),
    (PASSWORD,
     OAUTH2.replace("google", "microsoft").replace("provider", "token_url = 'https://h.test/', provider"),
     "oauth2", "mailboxes[0].oauth2.token_url", "leave it out"),
    (PASSWORD,
     "oauth2 = { client_id='x', provider='microsoft', flow='client-credentials', client_secret.env = 'X' }",
     "oauth2", "mailboxes[0].oauth2.tenant", "one directory"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{key} {new[:20]!r}" for _, new, _, key, _ in CASES])
def test_one_mistake_is_told_once_with_its_line_its_key_and_what_is_accepted(
    tmp_path: Path, case: tuple[str, str, str, str, str]
) -> None:
    old, new, mark, key, words = case
    text = changed(old, new)
    found = problems_of(tmp_path, text)
    assert [(problem.key, problem.line) for problem in found] == [(key, line_of(text, mark))]
    assert found[0].file == tmp_path / "syncd.toml"
    assert words in found[0].message


def test_a_missing_table_is_told_for_the_whole_file(tmp_path: Path) -> None:
    found = problems_of(tmp_path, "")
    assert [(problem.line, problem.key) for problem in found] == [(None, "workspace"), (None, "store")]
    assert str(found[0]).startswith(f"{tmp_path / 'syncd.toml'}: workspace: is required")


@pytest.mark.parametrize(
    "line",
    [
        'password = "hunter2"',
        'password = ["hunter2"]',
        'password = { value = "hunter2" }',
        'password = { env = "hunter2 !" }',
        'password = { keyring = "hunter2" }',
        'password = { credential = "/hunter2" }',
        'password = { file = ["hunter2"] }',
        'oauth2 = { client_id = "x", client_secret = "hunter2", refresh_token = "hunter2" }',
        'oauth2 = { client_id = "x", token_url = "https://u:hunter2@h.test/" }',
        'password = "hunter2',
        'password = hunter2',
        'password = """hunter2',
    ],
)  # fmt: skip
def test_a_secret_in_clear_is_a_mistake_and_is_never_shown(tmp_path: Path, line: str) -> None:
    text = changed('password = { file = "claire.secret" }', line)
    found = problems_of(tmp_path, text)
    assert found
    assert all("hunter2" not in str(problem) for problem in found)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:hunter2@h/db",
        "postgresql+psycopg://u:hunter2${PW}@h/db",
        "postgresql+psycopg://u:hun/ter2@h/db",
        "postgresql://u:hunter2@h/db",
        "postgresql+psycopg://h/db?user=u&password=hunter2",
        "postgresql+psycopg://h/db?sslpassword=hunter2",
    ],
)
def test_a_database_password_in_clear_is_a_mistake_and_is_never_shown(tmp_path: Path, url: str) -> None:
    found = problems_of(tmp_path, changed("sqlite:///crm.db", url))
    problem = next(problem for problem in found if problem.key == "store.url")
    assert problem.line == 4
    assert "${VARIABLE}" in problem.message
    assert all("hun" not in str(problem) for problem in found)


def test_the_error_of_a_bad_url_has_no_cause_that_holds_the_url(tmp_path: Path) -> None:
    (tmp_path / "syncd.toml").write_text(changed("sqlite:///crm.db", "mysql://u:${PW}@h/db"))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "syncd.toml", environ={"PW": "hunter2"})
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST."])
def test_an_unprotected_connection_is_accepted_to_this_machine(tmp_path: Path, host: str) -> None:
    text = changed('host = "imap.acme.example"', f'host = "{host}"\nsecurity = "none"')
    (tmp_path / "syncd.toml").write_text(text)
    assert load(tmp_path / "syncd.toml", environ={}).servers["corp"].imap is not None


def test_all_mistakes_of_all_files_are_told_at_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    text = changed('name = "Acme"', "name = 1").replace('server = "corp"', 'server = "crop"')
    found = problems_of(
        tmp_path,
        text + "interval = 5\n",
        b='[[mailboxes]]\nname = "b"\nuser = "claire"\nserver = "corp"\nusername = "b"\n',
        a='[mail]\nsince = 90\n\n[[users]]\nlogin = "claire"\n',
        c="[logging]\nlevel = 1\n",
    )
    assert [(problem.file.name, problem.line, problem.key) for problem in found] == [
        ("syncd.toml", 2, "workspace.name"),
        ("syncd.toml", 15, "mailboxes[0].server"),
        ("syncd.toml", 18, "mailboxes[0].interval"),
        ("a.toml", 2, "mail.since"),
        ("a.toml", 4, "users[0].name"),
        ("a.toml", 4, "users[0].email"),
        ("a.toml", 5, "users[0].login"),
        ("b.toml", 1, "mailboxes[0].oauth2"),
        ("c.toml", 2, "logging.level"),
    ]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "syncd.toml", environ={})
    assert str(caught.value).splitlines() == [str(problem) for problem in found]
    assert str(found[1]).startswith(f"{tmp_path / 'syncd.toml'}:15: mailboxes[0].server: ")


def test_a_syntax_error_in_one_file_hides_no_mistake_of_the_others(tmp_path: Path) -> None:
    found = problems_of(tmp_path, changed('name = "Acme"', "name = 1"), a="x = \n", b="[mail]\nsince = 1\n")
    assert [(problem.file.name, problem.line, problem.key) for problem in found] == [
        ("syncd.toml", 2, "workspace.name"),
        ("a.toml", 1, ""),
        ("b.toml", 2, "mail.since"),
    ]


def test_what_an_unreadable_file_may_hold_is_not_called_missing(tmp_path: Path) -> None:
    drop_in = changed("[workspace]", "[logging]").replace('name = "Acme"\n', "").replace("[store]\n", "")
    found = problems_of(tmp_path, "[workspace\n", a=drop_in.replace('url = "sqlite:///crm.db"\n', ""))
    assert [(problem.file.name, problem.line) for problem in found] == [("syncd.toml", 1)]


def test_whom_an_unreadable_file_may_name_is_not_called_unknown(tmp_path: Path) -> None:
    text = changed('user = "claire"', 'user = "marc"').replace('server = "corp"', 'server = "other"')
    found = problems_of(tmp_path, text, a='[[users]\nlogin = "marc"\n')
    assert [problem.file.name for problem in found] == ["a.toml"]


@pytest.mark.parametrize(
    "host", ["192.168.0.1", "10.0.0.1", "fe80::1", "localhost.example", "127.0.0.1.test"]
)
def test_an_unprotected_connection_is_refused_even_to_the_next_machine(tmp_path: Path, host: str) -> None:
    text = changed('host = "imap.acme.example"', f'host = "{host}"\nsecurity = "none"')
    assert [problem.key for problem in problems_of(tmp_path, text)] == ["servers.corp.imap.security"]


def test_a_key_set_in_two_files_names_both_places(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        BASE,
        a='[workspace]\n\nname = "Other"\n[servers.corp]\nimap.host = "x.test"\n',
        b="workspace = 1\nusers = 3\n[mail]\nprivate_keywords = ['x']\n",
        c="[mail]\nprivate_keywords = ['x']\n",
    )
    main, conf = tmp_path / "syncd.toml", tmp_path / "conf.d"
    assert [(problem.file, problem.line, problem.key) for problem in found] == [
        (conf / "a.toml", 3, "workspace.name"),
        (conf / "a.toml", 5, "servers.corp.imap.host"),
        (conf / "b.toml", 1, "workspace"),
        (conf / "b.toml", 2, "users"),
        (conf / "c.toml", 2, "mail.private_keywords"),
    ]
    places = [f"{main}:2", f"{main}:6", f"{main}:1", f"{main}:8", f"{conf / 'b.toml'}:4"]
    for problem, place in zip(found, places, strict=True):
        assert f"is set already, at {place};" in problem.message
