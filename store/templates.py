"""Empty files to fill in: the fields of a kind of record as headers, and what each of them takes (R052)."""

from collections.abc import Sequence

from store import fields, readers, selling_fields
from store.custom_fields import PREFIX
from store.fields import Field, Kind
from store.readers import ACCEPTED, Reader
from store.sheetfile import Guide, Layout

NUMBERS = (readers.amount, readers.percentage, selling_fields.price, selling_fields.quantity,
           selling_fields.discount, selling_fields.whole)  # fmt: skip
FRENCH, ENGLISH = "fr", "en"
_WORDS: dict[Reader, tuple[str, str]] = {
    readers.text: ("one line of text", "une ligne de texte"),
    readers.lines: ("text, also of several lines", "du texte, de plusieurs lignes au besoin"),
    readers.address: ("an e-mail address", "une adresse e-mail"),
    readers.day: ("a day: 2026-12-31 or 31/12/2026", "une date : 2026-12-31 ou 31/12/2026"),
    readers.amount: ("an amount: 1234.56 or 1 234,56", "un montant : 1234.56 ou 1 234,56"),
    readers.percentage: ("a whole number from 0 to 100", "un nombre entier de 0 à 100"),
    readers.yes_or_no: ("yes or no", "oui ou non"),
    readers.country: ("two letters: FR (ISO 3166-1)", "deux lettres : FR (ISO 3166-1)"),
    selling_fields.price: ("a price: 1234.5678 or 1 234,5678", "un prix : 1234.5678 ou 1 234,5678"),
    selling_fields.quantity: ("a quantity: 12 or 0.25", "une quantité : 12 ou 0,25"),
    selling_fields.discount: ("per cent, from 0 to 100", "un pourcentage, de 0 à 100"),
    selling_fields.whole: ("a whole number above 0", "un nombre entier supérieur à 0"),
    readers.profile: (
        "a LinkedIn profile: its address or its name",
        "un profil LinkedIn : son adresse ou son nom",
    ),
    readers.currency: ("three letters: EUR (ISO 4217)", "trois lettres : EUR (ISO 4217)"),
}
_NAMES = {
    "account": ("an account: ext_id or exact name", "un compte : ext_id ou nom exact"),
    "parent": ("an account: ext_id or exact name", "un compte : ext_id ou nom exact"),
    "project": ("a project: ext_id or exact name", "un projet : ext_id ou nom exact"),
    "contact": ("a contact: ext_id or e-mail address", "un contact : ext_id ou adresse e-mail"),
    "opportunity": (
        "an opportunity: ext_id, reference or title",
        "une opportunité : ext_id, référence ou titre",
    ),
    "converted_deal": ("a deal: ext_id, reference or title", "une affaire : ext_id, référence ou titre"),
    "product": ("a product: ext_id or code", "un produit : ext_id ou code"),
    "order": (
        "an order: ext_id, or 2026-12 (year-number)",
        "une commande : ext_id, ou 2026-12 (année-numéro)",
    ),
    "tags": ("free words, between commas", "des mots libres, séparés par des virgules"),
    "owner": ("a user: login", "un utilisateur : identifiant de connexion"),
}
_NEEDED = {
    "contacts": {"account"},
    "projects": {"account"},
    "deals": {"project"},
    "opportunities": {"account"},
    "orders": {"account"},
    "order_lines": {"order"},
}


def headers(kind: Kind) -> tuple[str, ...]:
    """The columns of a template; of each reference the name, which people know, and not the id."""
    named = [one for one in kind.references if not one.endswith("_id")]
    shown = (one.header for one in kind.fields if one.column and not one.hidden)
    return ("ext_id", *shown, *named)


def required(kind: Kind) -> frozenset[str]:
    """The columns that a new record needs."""
    return frozenset({one.header for one in kind.fields if one.required} | _NEEDED.get(kind.name, set()))


def layout(kind: Kind, headers_: Sequence[str], language: str, *, guide: bool) -> Layout:
    """How a workbook of this kind looks; with `guide` its second sheet tells of each column."""
    return Layout(
        sheet=kind.name,
        headers=headers_,
        required=required(kind),
        days=frozenset(one.header for one in kind.fields if one.read is readers.day),
        numbers=frozenset(one.header for one in kind.fields if one.read in NUMBERS) | {"id"},
        guide=_guide(kind, language) if guide else None,
    )


def _guide(kind: Kind, language: str) -> Guide:
    french = language == FRENCH
    heads = (
        ("colonne", "obligatoire", "accepté", "longueur maximale", "libellé")
        if french
        else ("column", "required", "accepted", "longest", "label")
    )
    needed = required(kind)
    rows: list[tuple[str, ...]] = [heads, *((*one, "") for one in _keys(french))]
    for one in kind.fields:
        if one.column and not one.hidden:
            own = one.column.startswith(PREFIX)
            longest = None if own else fields.length_of(kind, one.column)
            yes = ("oui" if french else "yes") if one.header in needed else ""
            rows.append(
                (one.header, yes, _accepted(one, language), str(longest or ""), one.label.get(language, ""))
            )
    for header in kind.references:
        noun = header.removesuffix("_id")
        words = _NAMES[noun.rstrip("23")][french]
        if header.endswith("_id"):
            words = "l'id, au lieu du nom" if french else "its id, instead of the name"
        yes = ("oui" if french else "yes") if header in needed else ""
        rows.append((header, yes, words, "", ""))
    if not any(row[-1] for row in rows[1:]):  # nothing is called in another way
        rows = [row[:-1] for row in rows]
    return Guide("colonnes" if french else "columns", rows)


def _keys(french: bool) -> list[tuple[str, ...]]:
    if french:
        return [
            ("id", "", "vide pour une nouvelle fiche, sinon l'id de la fiche à modifier", ""),
            (
                "ext_id",
                "",
                "votre propre identifiant : le même modifie la fiche au lieu d'en créer une",
                "120",
            ),
        ]
    return [
        ("id", "", "empty for a new record, else that of the record to change", ""),
        ("ext_id", "", "your own key: the same one changes the record instead of making another", "120"),
    ]


def _accepted(one: Field, language: str) -> str:
    """What the column takes; of a list its codes, with what they are called."""
    if one.accepted or one.listed:
        called = [(code, label.get(language, code)) for code, label in one.accepted]
        return ", ".join(code if name in ("", code) else f"{code} ({name})" for code, name in called)
    if one.read in ACCEPTED:
        return ", ".join(ACCEPTED[one.read])
    return _WORDS.get(one.read, ("text", "du texte"))[language == FRENCH]
