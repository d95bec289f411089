"""All that is stored of a person in one file: whole, of nobody else, and readable by its owner only."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from store.actors import Actor, admin_at_machine
from store.errors import Forbidden, NotFound
from store.users import UserRole
from syncd.daemon import offers
from syncd.engine.person_export import Exported
from tests import pictures
from tests.servers.console import console
from tests.servers.world import NOW, PDF, World, mail

CLAIRE = "claire@acme.example"
ANNE = "anne@dupont.example"
LUC = "luc@dupont.example"


@pytest.fixture
def company(world: World) -> World:
    """Anne wrote with files whose names mean no good; Luc wrote too."""
    world.add_user("claire")
    account = world.add_account("Garage Dupont")
    world.add_contact(account, ANNE, phone_mobile="06 98 76 54 32")
    world.add_contact(account, LUC)
    files = {"../../evil.pdf": PDF, "a:b*?.pdf": PDF + b"2"}
    world.deliver(
        "claire",
        "INBOX",
        mail(1, ANNE, CLAIRE, "Devis", attachments=files),
        mail(2, LUC, CLAIRE, "Secret de Luc"),
        mail(3, LUC, [CLAIRE, ANNE], "À deux"),
    )
    world.sync()
    return world


def export(world: World, who: str, actor: Actor | None = None) -> tuple[Exported, zipfile.ZipFile]:
    out = io.BytesIO()
    installation = world.open()
    try:
        made = offers.person_export(installation)
        done = made.write(who, actor or admin_at_machine("root"), NOW, out)
    finally:
        installation.close()
    return done, zipfile.ZipFile(out)


@pytest.mark.parametrize("who", ["1", ANNE])
def test_the_file_holds_the_record_its_mail_and_its_attachments_and_nobody_elses(
    company: World, who: str
) -> None:
    done, archive = export(company, who)
    assert done == Exported(contacts=1, mails=2, files=2, missing=0, activities=2, events=0)
    assert archive.testzip() is None
    person = json.loads(archive.read("person.json"))
    assert person["contacts"][0]["email"] == ANNE
    assert person["contacts"][0]["account"] == "Garage Dupont"
    assert sorted(one["subject"] for one in person["activities"]) == ["Devis", "À deux"]
    mails = {name: json.loads(archive.read(name)) for name in archive.namelist() if name[-5:] == ".json"}
    mails.pop("person.json")
    assert sorted(one["subject"] for one in mails.values()) == ["Devis", "À deux"]
    (quote,) = (one for one in mails.values() if one["subject"] == "Devis")
    assert quote["from"] == [ANNE]
    assert quote["date"].endswith("Z")
    assert {archive.read(one["file"]) for one in quote["attachments"]} == {PDF, PDF + b"2"}
    assert "Secret" not in json.dumps([person, list(mails.values())])


def test_no_name_in_the_file_leads_out_of_its_folder(company: World) -> None:
    _, archive = export(company, "1")
    for entry in archive.infolist():
        assert ".." not in entry.filename
        assert not entry.filename.startswith("/")
        assert not set(entry.filename) & set('\\:*?"<>|')
        assert entry.external_attr >> 16 == 0o600


def test_only_an_admin_hands_out_what_is_stored(company: World) -> None:
    with pytest.raises(Forbidden, match="needs the role admin"):
        export(company, "1", Actor("marc", 7, UserRole.ADVANCED))


def test_nobody_is_told_of_whom_nothing_is_stored(company: World) -> None:
    with pytest.raises(NotFound, match="nothing is stored of nobody@else"):
        export(company, "nobody@else.example")


def test_the_file_is_its_owners_and_never_there_in_part(company: World, tmp_path: Path) -> None:
    config, file = company.write_config(), tmp_path / "anne.zip"
    failed = console(config, "contact", "export", "nobody@else.example", str(file))
    assert failed.code == 1
    assert [one.name for one in tmp_path.iterdir() if "zip" in one.name] == []
    done = console(config, "contact", "export", ANNE, str(file))
    assert "2 e-mails, 2 attachments, 2 activities, 0 events" in done.out
    assert file.stat().st_mode & 0o777 == 0o600
    assert "is not overwritten" in console(config, "contact", "export", ANNE, str(file)).err
    assert console(config, "contact", "export", ANNE, str(file), "--force").code == 0
    assert zipfile.is_zipfile(file)


def test_the_photo_and_a_mail_that_waits_to_be_drafted_are_the_persons_too(
    company: World, tmp_path: Path
) -> None:
    config = company.write_config()
    picture = tmp_path / "anne.png"
    picture.write_bytes(pictures.png())
    assert console(config, "contact", "photo", "1", str(picture)).code == 0
    said = ("--as", "claire", "--subject", "Votre devis", "--body", "Bonjour,")
    assert console(config, "contact", "email", "1", *said).code == 0
    _, archive = export(company, "1")
    (photo,) = (name for name in archive.namelist() if name.startswith("photos/"))
    assert photo == "photos/1.png"
    assert archive.read(photo).startswith(b"\x89PNG")
    (mail,) = json.loads(archive.read("person.json"))["mails_to_be_drafted"]
    assert (mail["subject"], mail["body"]) == ("Votre devis", "Bonjour,")
    _, others = export(company, "2")
    assert not [name for name in others.namelist() if name.startswith("photos/")]
    assert json.loads(others.read("person.json"))["mails_to_be_drafted"] == []
    assert console(config, "forget", "contact", "1", "--yes").code == 0
    assert company.rows("SELECT count(*) FROM contact_photo") == [(0,)]
    assert company.rows("SELECT count(*) FROM outbound_message") == [(0,)]
