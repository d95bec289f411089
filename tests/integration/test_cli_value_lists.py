"""Roles, segments, types and statuses on the command line; labels, hidden and required fields (R031, R042,
R053, R054), on both databases."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.console import Outcome
from tests.servers.office import Office

EMMA = '[[users]]\nlogin = "emma"\nname = "Emma Test"\nemail = "emma@acme.example"\nrole = "advanced"\n'
SETTINGS = """
[fields.contact.role]
label = { fr = "Fonction", en = "Job" }
required = true
[fields.contact.skype]
hidden = true
[fields.contact.position]
label = { fr = "Poste", en = "Post" }
[fields.account.segment]
label = { en = "Size" }
required = true
[fields.account.city]
hidden = true
"""


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Two accounts; Emma reads English, everybody else French."""
    made = Office(tmp_path / "syncd", database_url)
    made.more = EMMA + 'language = "en"\n'
    made.write_config()
    made.add_account("Garage")
    made.add_account("Banque")
    return made


def contact(office: Office, id_: int) -> dict[str, object]:
    found = office.done("show", "contact", str(id_), "--json").json["contact"]
    assert isinstance(found, dict)
    return found


def in_french(run: Callable[..., Outcome], *arguments: str) -> str:
    """What a command says to who reads French."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNCD_LANGUAGE", "fr")
        return run(*arguments).out


def add(office: Office, name: str, *options: str) -> None:
    office.done("contact", "add", "--account", "Garage", "--last-name", name, *options)


def test_a_role_is_given_changed_and_read_in_the_readers_language(office: Office) -> None:
    add(office, "Martin", "--role", "Acheteur")
    assert contact(office, 1)["role"] == "buyer"
    assert "rôle : Acheteur" in in_french(office.done, "show", "contact", "1")
    assert "role: Buyer" in office.done("show", "contact", "1", "--as", "emma").out
    assert "Acheteur" in in_french(office.done, "list", "contacts")
    assert "Buyer" in office.done("list", "contacts", "--as", "emma").out
    office.done("contact", "edit", "1", "--role", "decision maker")
    assert contact(office, 1)["role"] == "decision_maker"
    assert "nothing to change" in office.done("contact", "edit", "1", "--role", "Décideur").out
    office.done("contact", "edit", "1", "--role", "")
    assert contact(office, 1)["role"] is None
    wrong = office.run("contact", "edit", "1", "--role", "boss")
    assert (wrong.code, '--role: "boss" is not in the list; accepted: management' in wrong.err) == (2, True)


def test_contacts_are_listed_by_roles_and_sorted_by_their_change(office: Office) -> None:
    for name, role in (("A", "buyer"), ("B", "user"), ("C", "other"), ("D", "buyer")):
        add(office, name, "--role", role)
    office.done("contact", "add", "--account", "Banque", "--last-name", "E", "--role", "buyer")

    def names(*options: str) -> list[str]:
        return [one["last_name"] for one in office.done("list", "contacts", *options, "--json").json["rows"]]

    assert names("--role", "buyer", "--role", "Utilisateur") == ["A", "B", "D", "E"]
    assert names("--role", "buyer", "--role", "user", "--account", "Garage") == ["A", "B", "D"]
    assert names("--role", "buyer", "--text", "d") == ["D"]
    office.done("contact", "edit", "1", "--position", "Chef")
    assert names("--role", "buyer", "--role", "user", "--sort", "-updated_at")[0] == "A"
    assert names("--sort", "updated_at")[-1] == "A"
    assert office.run("list", "contacts", "--role", "boss").code == 2
    assert "--role is for contacts, and not for deals" in office.run("list", "deals", "--role", "user").err


def test_rights_hold_for_roles_as_for_other_fields(office: Office) -> None:
    office.more += '[rights.standard.account]\nread = "own"\n'
    add(office, "Martin", "--role", "buyer")
    listed = office.done("list", "contacts", "--role", "buyer", "--as", "claire", "--json").json
    assert listed["total"] == 0
    assert office.done("list", "contacts", "--role", "buyer", "--as", "anne", "--json").json["total"] == 1
    refused = office.run("contact", "edit", "1", "--role", "user", "--as", "claire")
    assert refused.code == 1
    assert contact(office, 1)["role"] == "buyer"


def test_accounts_opportunities_and_orders_take_their_lists(office: Office) -> None:
    office.done("account", "edit", "1", "--segment", "Grand compte")
    rows = office.done("list", "accounts", "--segment", "large", "--json").json["rows"]
    assert [(one["name"], one["segment"]) for one in rows] == [("Garage", "large")]
    made = office.done(
        "opportunity", "add", "--account", "Garage", "--title", "Toit", "--type", "Renewal", "--json"
    )
    assert (made.json["opportunity"]["type"], made.json["opportunity"]["status"]) == ("renewal", "open")
    office.done("opportunity", "win", "1")
    assert office.one("SELECT status FROM opportunity") == "WON"
    assert "statut : Gagnée" in in_french(office.done, "show", "opportunity", "1")
    rows = office.done("list", "opportunities", "--type", "renewal", "--status", "won", "--json").json["rows"]
    assert [(one["title"], one["status"]) for one in rows] == [("Toit", "won")]
    assert office.done("list", "opportunities", "--status", "open", "--json").json["total"] == 0
    order = office.done("order", "add", "--account", "Garage", "--total", "10", "--json").json["order"]
    assert (order["state"], order["status"]) == ("draft", "received")
    office.done("order", "confirm", "1")
    office.done("order", "edit", "1", "--status", "Livrée")  # that is not what the customer was told
    assert office.done("list", "orders", "--status", "delivered", "--json").json["total"] == 1
    assert office.done("list", "orders", "--status", "confirmed", "--json").json["total"] == 1
    assert "statut : Livrée" in in_french(office.done, "show", "order", "1")
    assert office.run("list", "orders", "--status", "x").code == 2
    office.done("export", "orders", str(office.folder / "o.csv"), "--status", "Livrée")
    assert "delivered" in (office.folder / "o.csv").read_text(encoding="utf-8-sig")


# --- labels, hidden, required ------------------------------------------------------------------------


@pytest.fixture
def strict(office: Office) -> Office:
    """With a required role and segment, and hidden fields."""
    office.more += SETTINGS
    office.done("fields", "apply")
    return office


def test_what_is_required_is_asked_for_on_every_way_in_by_what_it_is_called(strict: Office) -> None:
    missing = strict.run("contact", "add", "--account", "Garage", "--last-name", "X")
    assert (missing.code, '--role: is required for a new contact ("Job")' in missing.err) == (2, True)
    missing = strict.run("contact", "add", "--account", "Garage", "--last-name", "X", "--as", "emma")
    assert '--role: is required for a new contact ("Job")' in missing.err
    rows = strict.folder / "c.csv"
    rows.write_text("account,last_name,role\nGarage,A,buyer\nGarage,B,\n")
    refused = strict.run("import", "contacts", str(rows))
    assert (refused.code, 'line 3: role: must not be empty ("Job")' in refused.err) == (1, True)
    card = (
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Roi;Zoé;;;\r\nORG:Garage\r\nEMAIL:z@garage.example\r\nEND:VCARD\r\n"
    )
    cards = strict.folder / "c.vcf"
    cards.write_text(card)
    refused = strict.run("contact", "import-cards", str(cards))
    assert refused.code != 0
    assert "role" in refused.err
    assert strict.one("SELECT count(*) FROM contact") == 0
    add(strict, "Martin", "--role", "buyer")
    id_ = str(strict.one("SELECT id FROM contact"))
    refused = strict.run("contact", "edit", id_, "--role", "")
    assert (refused.code, '--role: must not be empty ("Job")' in refused.err) == (2, True)
    # What is there already stays as it is until somebody touches the field.
    strict.done("account", "edit", "1", "--phone", "1")


def test_a_draft_is_approved_only_with_what_is_required_by_then(office: Office) -> None:
    draft = ("account", "add", "--name", "Neuf", "--type", "client", "--as", "claire")
    office.done(*draft)
    office.more += SETTINGS
    office.done("fields", "apply")
    refused = office.run("account", "approve", "1", "--as", "anne")
    assert refused.code == 1
    assert "segment: is required for a new account" in refused.err
    refused = office.run(*draft)
    assert (refused.code, "--segment: is required for a new account" in refused.err) == (2, True)
    office.done(*draft, "--segment", "large")
    office.done("account", "approve", "2", "--as", "anne")
    assert office.one("SELECT count(*) FROM account") == 3


def test_hidden_fields_are_not_shown_and_labels_are(strict: Office) -> None:
    strict.done("account", "edit", "1", "--city", "Lyon", "--segment", "large")
    add(strict, "Martin", "--role", "buyer", "--position", "Chef")
    shown = in_french(strict.done, "show", "contact", "1")
    assert "Fonction : Acheteur" in shown
    assert "Poste : Chef" in shown
    listed = in_french(strict.done, "list", "contacts").splitlines()
    assert "Fonction" in listed[0]
    assert "Job" in strict.done("list", "contacts", "--as", "emma").out.splitlines()[0]
    accounts = strict.done("list", "accounts").out
    assert "Lyon" not in accounts
    assert "city" not in accounts
    assert strict.done("list", "accounts", "--json").json["rows"][1]["city"] == "Lyon"
    for kind, hidden in (("contacts", "skype"), ("accounts", "city")):
        path = strict.folder / f"{kind}.csv"
        strict.done("template", kind, str(path))
        header = path.read_text(encoding="utf-8-sig").split("\n")[0]
        assert hidden not in header
        assert "segment" in header or "role" in header


# --- cards, LinkedIn ---------------------------------------------------------------------------------


def test_a_card_gives_the_role_that_its_role_or_categories_name(office: Office) -> None:
    def card(name: str, *lines: str) -> str:
        mail = f"EMAIL:{name.lower()}@garage.example"
        return "\r\n".join(["BEGIN:VCARD", "VERSION:4.0", f"N:{name};;;;", "ORG:Garage", mail, *lines,
                            "END:VCARD", ""])  # fmt: skip

    path = office.folder / "c.vcf"
    path.write_text(
        card("A", "ROLE:acheteur", "TITLE:Chef des achats")
        + card("B", "CATEGORIES:Amis,VIP\\, vrai,Decision maker")
        + card("C", "CATEGORIES:myContacts", "ROLE:Boulanger")
        + card("D", "CATEGORIES:buyer", "ROLE:user")
    )
    taken = office.done("contact", "import-cards", str(path), "--json").json["cards"]
    assert [one["outcome"] for one in taken] == ["added"] * 4
    rows = office.done("list", "contacts", "--json").json["rows"]
    assert [(one["role"], one["position"]) for one in rows] == [
        ("buyer", "Chef des achats"), ("decision_maker", None), (None, "Boulanger"), ("user", "user"),
    ]  # fmt: skip
    again = office.done("contact", "import-cards", str(path), "--json").json["cards"]
    assert [one["outcome"] for one in again] == ["known"] * 4
    path.write_text(card("A", "ROLE:user", "TITLE:Chef des achats"))
    (offered,) = office.done("contact", "import-cards", str(path), "--json").json["cards"]
    assert offered["outcome"] == "update_offered"
    office.done("contact", "complete", str(offered["draft_id"]))
    assert contact(office, 1)["role"] == "user"


def test_a_draft_of_a_card_is_completed_with_a_role(office: Office) -> None:
    path = office.folder / "c.vcf"
    path.write_text("BEGIN:VCARD\r\nVERSION:3.0\r\nN:Roi;;;;\r\nROLE:Acheteur\r\nEND:VCARD\r\n")
    office.done("contact", "import-cards", str(path))
    wrong = office.run("contact", "complete", "1", "--account", "Garage", "--role", "boss")
    assert (wrong.code, "--role" in wrong.err) == (2, True)
    office.done("contact", "complete", "1", "--account", "Garage")
    (row,) = office.done("list", "contacts", "--json").json["rows"]
    assert row["role"] == "buyer"


@pytest.mark.parametrize(
    ("written", "page"),
    [
        ("anne-martin", "https://www.linkedin.com/in/anne-martin"),
        ("in/anne-martin", "https://www.linkedin.com/in/anne-martin"),
        ("linkedin.com/in/anne-martin/", "https://www.linkedin.com/in/anne-martin"),
        ("https://fr.linkedin.com/in/anne-martin?trk=x", "https://www.linkedin.com/in/anne-martin"),
        ("https://www.linkedin.com/company/garage", "https://www.linkedin.com/company/garage"),
    ],
)
def test_a_linkedin_profile_is_shown_as_its_page(office: Office, written: str, page: str) -> None:
    add(office, "Martin", "--linkedin", written)
    found = contact(office, 1)
    assert (found["linkedin"], found["linkedin_url"]) == (written, page)
    assert f"linkedin: {page}\n" in office.done("show", "contact", "1").out


@pytest.mark.parametrize(
    "written",
    ["https://evil.example/in/x", "javascript:alert(1)", "x y", "https://linkedin.com.evil.example/in/a"],
)
def test_what_is_no_linkedin_profile_is_refused_and_a_position_has_80_characters(
    office: Office, written: str
) -> None:
    wrong = office.run("contact", "add", "--account", "Garage", "--last-name", "X", "--linkedin", written)
    assert (wrong.code, "--linkedin:" in wrong.err, "is no LinkedIn profile" in wrong.err) == (2, True, True)
    add(office, "Y", "--ext-id", "Y", "--position", "x" * 80)
    id_ = str(office.one("SELECT id FROM contact"))
    wrong = office.run("contact", "edit", id_, "--position", "x" * 81)
    assert (wrong.code, "has 81 characters, at most 80 are kept" in wrong.err) == (2, True)


# --- mistakes in the config --------------------------------------------------------------------------

STATUS = '[[value_lists]]\ncode = "opportunity_status"\nitems = [\n'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (STATUS + '{ code = "a" }]\n', "items[0].flag: is required in this list: open, won, lost"),
        (
            STATUS + '{ code = "a", flag = "open" }, { code = "b", flag = "won" }]\n',
            "no item that can be chosen has the flag lost",
        ),
        (
            STATUS
            + '{ code = "a", flag = "open" }, { code = "b", flag = "won", default = true }, '
            + '{ code = "c", flag = "lost" }]\n',
            'items[1].default: the default of this list has the flag "open"',
        ),
        (
            '[[value_lists]]\ncode = "contact_role"\nitems = [{ code = "a", flag = "won" }]\n',
            "items[0].flag: is for the lists opportunity_status, activity_type only",
        ),
        (
            '[[value_lists]]\ncode = "contact_role"\nitems = [{ code = "a", branches = ["Lyon"] }]\n',
            'items[0].branches[0]: no [[users]] has the branch "Lyon"',
        ),
        ("[fields.account.name]\nhidden = true\n", "the CRM needs this field: it cannot be hidden"),
        ("[fields.product.code]\nhidden = true\n", "the CRM needs this field: it cannot be hidden"),
    ],
)
def test_a_mistake_in_a_list_has_its_key_path(office: Office, more: str, said: str) -> None:
    office.more += more
    outcome = office.run("check")
    assert outcome.code == 2
    assert said in outcome.err
