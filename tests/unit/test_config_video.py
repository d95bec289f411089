"""What an admin writes of video meetings, and what the service makes of it."""

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.load import load
from config.settings import Settings
from connectors.meetings import Provider, table

BEFORE = """
[workspace]
name = "Acme"
[store]
url = "sqlite:///crm.db"
[[users]]
login = "claire"
name = "Claire"
email = "Claire@acme.example"
[[users]]
login = "marc"
name = "Marc"
email = "marc@acme.example"
video_link = "https://acme.zoom.us/my/marc"
"""


def settings(folder: Path, more: str) -> Settings:
    (folder / "syncd.toml").write_text(BEFORE + more, encoding="utf-8")
    return load(folder / "syncd.toml", environ={})


def test_hosts_of_ones_own_lead_into_meetings(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        '[video]\nhosts = ["meet.acme.example", "*.visio.example", "acme.example/salles"]\n'
        '[video.providers]\nzoom = ["zoom.acme.example"]\n',
    )
    providers = table(found.video.places())
    for link, provider in (
        ("https://meet.acme.example/Comité", Provider.OTHER),
        ("https://a.b.visio.example/1", Provider.OTHER),
        ("https://acme.example/salles/bleue", Provider.OTHER),
        ("https://zoom.acme.example/quelconque", Provider.ZOOM),
        ("https://acme.zoom.us/j/1", Provider.ZOOM),  # what is known stays known
        ("https://acme.example/salles/", None),
        ("https://acme.example/autre", None),
        ("https://meet.acme.example/", None),
        ("https://sub.meet.acme.example/x", None),
    ):
        assert providers.meeting(link) is provider, link


def test_a_room_is_the_users_own_else_the_companys(tmp_path: Path) -> None:
    found = settings(tmp_path, '[video]\nlink = "https://meet.acme.example/{login}"\n')
    assert found.rooms() == {
        "claire@acme.example": "https://meet.acme.example/claire",
        "marc@acme.example": "https://acme.zoom.us/my/marc",
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('hosts = ["https://meet.acme.example"]', "without https://"),
        ('hosts = ["/salles"]', "without https://"),
        ('hosts = ["meet acme"]', "must be a host name"),
        ('hosts = ["*.*.example"]', "must be a host name"),
        ('hosts = ["a.example/x?y"]', "only the beginning of a path"),
        ('hosts = ["a.example", "A.example"]', "listed twice"),
        ('link = "meet.acme.example/{login}"', "begins with https://"),
        ('link = "https://"', "begins with https://"),
        ('link = "https://a.example/{name}"', "only {login} may stand in braces"),
        ("jitsi = true", "jitsi"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, f"[video]\n{line}\n")
    assert said in str(caught.value)
    assert "video" in str(caught.value)
    assert "syncd.toml" in str(caught.value)
