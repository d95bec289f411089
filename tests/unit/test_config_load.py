"""Which files make a configuration, how they join, and what is made of files that are none."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from config import sources
from config.errors import ConfigError, Problem
from config.load import load
from config.settings import Settings

MINIMAL = '[workspace]\nname = "Acme"\n[store]\nurl = "sqlite:///crm.db"\n'
USER = '[[users]]\nlogin = "{0}"\nname = "{0}"\nemail = "{0}@acme.example"\n'


def loaded(folder: Path, text: str, environ: dict[str, str] | None = None, **drop_ins: str) -> Settings:
    (folder / "syncd.toml").write_text(text, encoding="utf-8")
    for name, content in drop_ins.items():
        (folder / "conf.d").mkdir(exist_ok=True)
        (folder / "conf.d" / f"{name}.toml").write_text(content, encoding="utf-8")
    return load(folder / "syncd.toml", environ=environ or {})


def refused(path: Path) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ={})
    return caught.value.problems


def url_of(settings: Settings) -> str:
    return settings.store.url.get_secret_value()


def test_the_shortest_configuration_has_all_defaults(tmp_path: Path) -> None:
    settings = loaded(tmp_path, MINIMAL)
    assert settings.mail.since == timedelta(days=90)
    assert settings.schedule.interval == timedelta(minutes=1)
    assert not settings.users
    assert not settings.mailboxes


def test_lists_of_tables_append_in_the_order_of_the_file_names(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        MINIMAL + USER.format("main") + "[mail]\nexclude = [{ folder = 'Junk' }]\n",
        b=USER.format("b") + "[[mail.exclude]]\ndomain = 'b.example'\n",
        a=USER.format("a"),
    )
    assert [user.login for user in settings.users] == ["main", "a", "b"]
    assert [(rule.folder, rule.domain) for rule in settings.mail.exclude] == [
        ("Junk", None),
        (None, "b.example"),
    ]


def test_tables_of_several_files_merge(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        MINIMAL,
        a="[workspace]\nlanguage = 'en'\n[servers.a.imap]\nhost = 'a.example'\n",
        b="[servers.b.imap]\nhost = 'b.example'\n[servers.a]\nimap.port = 1993\n",
    )
    assert (settings.workspace.name, settings.workspace.language) == ("Acme", "en")
    assert sorted(settings.servers) == ["a", "b"]
    assert settings.servers["a"].imap is not None
    assert settings.servers["a"].imap.port == 1993


def test_hidden_files_and_files_of_other_kinds_in_conf_d_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    for name in [".a.toml.swp", ".hidden.toml", "a.toml~", "README", "a.toml.bak"]:
        (tmp_path / "conf.d" / name).write_bytes(b"\xff")
    assert loaded(tmp_path, MINIMAL).workspace.name == "Acme"


def test_relative_paths_are_those_of_the_file_they_stand_in(tmp_path: Path) -> None:
    mailbox = '[[mailboxes]]\nname = "{0}"\nuser = "u"\nserver = "s"\nusername = "u"\n'
    oauth2 = 'oauth2 = {{ provider = "google", client_id = "x", {0} }}\n'
    secrets = 'client_secret = { file = "app" }, refresh_token = { file = "/abs/token" }'
    settings = loaded(
        tmp_path,
        MINIMAL + USER.format("u") + mailbox.format("m1") + 'password = { file = "m1.secret" }\n',
        a='[servers.s.imap]\nhost = "s.example"\nca_file = "../ca.pem"\n',
        b=mailbox.format("m2") + oauth2.format(secrets) + mailbox.format("m3") + 'password.file = "m3"\n',
        c='[store]\nstate_dir = "state"\n',
    )
    conf = tmp_path / "conf.d"
    first, second, third = settings.mailboxes
    assert first.password is not None
    assert first.password.file == tmp_path / "m1.secret"
    assert second.oauth2 is not None
    assert second.oauth2.client_secret is not None
    assert second.oauth2.client_secret.file == conf / "app"
    assert second.oauth2.refresh_token is not None
    assert second.oauth2.refresh_token.file == Path("/abs/token")
    assert third.password is not None
    assert third.password.file == conf / "m3"
    assert settings.imap_of(first).ca_file == conf / "../ca.pem"
    assert settings.store.state_dir == conf / "state"
    assert settings.store_dir() == conf / "state"


def test_paths_are_absolute_even_if_the_config_file_is_named_relatively(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "syncd.toml").write_text(MINIMAL + '[servers.s.imap]\nhost = "s.test"\nca_file = "ca.pem"\n')
    monkeypatch.chdir(tmp_path)
    settings = load(Path("syncd.toml"), environ={})
    assert settings.servers["s"].imap is not None
    assert settings.servers["s"].imap.ca_file == tmp_path / "ca.pem"
    assert url_of(settings) == f"sqlite:///{tmp_path}/crm.db"
    assert settings.store_dir() == tmp_path


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:///crm.db", "sqlite:///{folder}/crm.db"),
        ("sqlite:///data/crm.db?timeout=5", "sqlite:///{folder}/data/crm.db?timeout=5"),
        ("sqlite:////var/lib/syncd/crm.db", "sqlite:////var/lib/syncd/crm.db"),
        ("sqlite:///${DIR}/crm.db", "sqlite:////data/crm.db"),
        ("${WHOLE}", "postgresql+psycopg://u:p%40ss@h/db"),
        ("postgresql+psycopg://${NAME}:${PW}@h/db", "postgresql+psycopg://a%40b:p%40ss%2Fw%3Ard@h/db"),
        ("postgresql+psycopg://u:${PW}${NAME}@h/db", "postgresql+psycopg://u:p%40ss%2Fw%3Arda%40b@h/db"),
        ("postgresql+psycopg://u@h/db?password=${NAME}", "postgresql+psycopg://u@h/db?password=a@b"),
        ("postgresql+psycopg:///db", "postgresql+psycopg:///db"),
    ],
)
def test_the_database_url_is_completed(tmp_path: Path, written: str, meant: str) -> None:
    environ = {
        "DIR": "/data",
        "WHOLE": "postgresql+psycopg://u:p%40ss@h/db",
        "NAME": "a@b",
        "PW": "p@ss/w:rd",
    }
    text = MINIMAL.replace("sqlite:///crm.db", written) + 'state_dir = "/var/lib/syncd"\n'
    assert url_of(loaded(tmp_path, text, environ)) == meant.format(folder=tmp_path)


def test_variables_are_those_of_the_process_unless_others_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_TEST_DIR", "/data")
    path = tmp_path / "syncd.toml"
    path.write_text(MINIMAL.replace("crm.db", "${SYNCD_TEST_DIR}/crm.db"))
    assert url_of(load(path)) == "sqlite:////data/crm.db"
    assert "SYNCD_TEST_DIR" in refused(path)[0].message


def test_the_password_in_the_url_is_in_no_text_of_the_settings(tmp_path: Path) -> None:
    text = MINIMAL.replace("sqlite:///crm.db", "postgresql+psycopg://u:${PW}@h/db") + 'state_dir = "x"\n'
    settings = loaded(tmp_path, text, {"PW": "hunter2"})
    assert "hunter2" in url_of(settings)
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_a_native_toml_date_is_accepted_for_since(tmp_path: Path) -> None:
    assert loaded(tmp_path, MINIMAL + "[mail]\nsince = 2026-01-31\n").mail.since == date(2026, 1, 31)


@pytest.mark.parametrize(
    "raw",
    [MINIMAL.encode("utf-8-sig"), MINIMAL.replace("\n", "\r\n").encode()],
    ids=["byte order mark", "CRLF"],
)
def test_what_editors_on_windows_write_is_accepted(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "syncd.toml"
    path.write_bytes(raw)
    assert load(path, environ={}).workspace.name == "Acme"
    path.write_bytes(raw + b"\nx = 1")
    assert (refused(path)[0].line, refused(path)[0].key) == (6, "store.x")


@pytest.mark.parametrize(
    ("raw", "line", "words"),
    [
        (b"\x00\x01\x02\x7fELF", 1, "no valid TOML"),
        (bytes(range(256)), 2, "UTF-8"),
        (MINIMAL.replace("Acme", "Café").encode("latin-1"), 2, "UTF-8"),
        (MINIMAL.encode("utf-16"), 1, "UTF-8"),
        (b"a = 1\nb = \n", 2, "Invalid value"),
        (b"a = 1\nb", 2, "Expected '='"),
        (b"a = 1\n[x]\na = 1\n[x]\n", 4, "twice"),
        (b"a = 1\na = 2\n", 2, "overwrite"),
        (b'a = 1\nb = """\n\n', 2, "Unterminated"),
        (b"a = " + b"[" * 100_000, None, "nested too deep"),
        (b"\na = " + b"[" * 100 + b"]" * 100, 2, "nested more than"),
        (b"a = " + b"1" * 5000, None, "too many digits"),
        (b"a = 2026-02-30", 1, "Invalid date"),
    ],
)
def test_what_is_no_toml_is_told_with_the_line_if_it_is_known(
    tmp_path: Path, raw: bytes, line: int | None, words: str
) -> None:
    path = tmp_path / "syncd.toml"
    path.write_bytes(raw)
    (found,) = refused(path)
    assert (found.file, found.line, found.key) == (path, line, "")
    assert words in found.message


def test_an_empty_file_lacks_what_is_required(tmp_path: Path) -> None:
    (tmp_path / "syncd.toml").touch()
    assert [problem.key for problem in refused(tmp_path / "syncd.toml")] == ["workspace", "store"]


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "syncd.toml"
    path.write_bytes(b"#" * (sources.MAX_FILE + 1))
    (found,) = refused(path)
    assert "8 MiB" in found.message


def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    for path, words in [
        (tmp_path, "directory"),
        (tmp_path / "missing.toml", "No such file"),
        (loop, "symbolic links"),
        (tmp_path / "a\x00b", "null byte"),
        (Path("/dev/zero"), "larger than"),
    ]:
        (found,) = refused(path)
        assert (found.file, found.line, found.key) == (path, None, "")
        assert words in found.message


def test_a_drop_in_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "syncd.toml").write_text(MINIMAL)
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.toml").mkdir()
    (tmp_path / "conf.d" / "b.toml").symlink_to("nowhere")
    assert [problem.file.name for problem in refused(tmp_path / "syncd.toml")] == ["a.toml", "b.toml"]


def test_a_file_named_conf_d_is_not_a_folder_of_drop_ins(tmp_path: Path) -> None:
    (tmp_path / "conf.d").touch()
    assert loaded(tmp_path, MINIMAL).workspace.name == "Acme"
