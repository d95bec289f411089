"""Mailboxes at an Exchange server, as the config tells of them."""

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.load import load
from config.settings import Settings

CONFIG = """
workspace.name = "Acme"
store.url = "sqlite:///crm.db"
servers.ex.ews.url = "{url}"
[[users]]
login = "claire"
name = "Claire Dupont"
email = "claire@acme.example"
[[mailboxes]]
name = "claire"
user = "claire"
server = "ex"
username = 'ACME\\claire'
{more}
"""
PASSWORD = 'password = {{ env = "CLAIRE" }}'
URL = "https://mail.acme.example/EWS/Exchange.asmx"


def loaded(folder: Path, more: str = 'password = { env = "CLAIRE" }', url: str = URL) -> Settings:
    (folder / "syncd.toml").write_text(CONFIG.replace("{more}", more).replace("{url}", url))
    return load(folder / "syncd.toml", environ={})


def test_a_mailbox_at_exchange_is_known_by_its_users_address(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    mailbox = settings.mailbox("claire")
    assert mailbox.username == "ACME\\claire"
    assert settings.address_of(mailbox) == "claire@acme.example"
    assert settings.ews_of(mailbox).address == URL


def test_another_mailbox_is_known_by_the_address_it_is_given(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path, 'password = { env = "X" }\naccess = "delegate"\naddress = "sales@acme.example"'
    )
    assert settings.address_of(settings.mailbox("claire")) == "sales@acme.example"


@pytest.mark.parametrize(
    ("url", "address", "discovery"),
    [
        (URL, URL, ""),
        ("autodiscover", "", ""),
        ("https://auto.acme.example/autodiscover/autodiscover.svc", "", True),
    ],
)
def test_the_url_says_where_the_server_is_or_who_knows(
    tmp_path: Path, url: str, address: str, discovery: str | bool
) -> None:
    settings = loaded(tmp_path, url=url)
    server = settings.ews_of(settings.mailbox("claire"))
    assert (server.address, server.discovery) == (address, url if discovery is True else discovery)


def test_one_exchange_table_serves_mail_and_calendars(tmp_path: Path) -> None:
    assert loaded(tmp_path, 'password = { env = "X" }\nsync = ["mail", "calendar"]').mailboxes


OAUTH2 = """
[mailboxes.oauth2]
provider = "other"
token_url = "https://login.acme.example/token"
client_id = "app"
client_secret = { env = "X" }
flow = "client-credentials"
"""


def test_an_applications_token_needs_the_right_to_impersonate(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, OAUTH2)
    (problem,) = caught.value.problems
    assert problem.key == "mailboxes[0].oauth2.flow"
    assert 'access = "impersonate"' in problem.message
    assert loaded(tmp_path, 'access = "impersonate"' + OAUTH2).mailboxes
