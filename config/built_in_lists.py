"""The value lists of fields that there are anyway (R054), as they are until the config says otherwise.

A [[value_lists]] table with one of these codes takes the place of the whole list. Codes never change:
they are what files hold.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from config.fields import Flag, Label, ValueList, ValueListItem

# By list: code, French, English; a flag where the list has them. An asterisk marks the default.
_ITEMS: Mapping[str, Sequence[tuple[str, ...]]] = {
    "contact_role": (
        ("management", "Direction", "Management"),
        ("decision_maker", "Décideur", "Decision maker"),
        ("buyer", "Acheteur", "Buyer"),
        ("influencer", "Prescripteur", "Influencer"),
        ("technical", "Technique", "Technical"),
        ("accounting", "Comptabilité", "Accounting"),
        ("assistant", "Assistant", "Assistant"),
        ("user", "Utilisateur", "User"),
        ("other", "Autre", "Other"),
    ),
    "account_segment": (
        ("very_small", "Très petite entreprise", "Very small business"),
        ("small", "Petite ou moyenne entreprise", "Small or medium business"),
        ("medium", "Entreprise de taille intermédiaire", "Mid-size company"),
        ("large", "Grand compte", "Large company"),
        ("public", "Secteur public", "Public sector"),
        ("association", "Association", "Non-profit"),
    ),
    "opportunity_type": (
        ("new", "Nouvelle affaire", "New business"),
        ("extension", "Vente complémentaire", "Additional sale"),
        ("renewal", "Renouvellement", "Renewal"),
        ("tender", "Appel d'offres", "Call for tenders"),
    ),
    "opportunity_status": (
        ("open", "Ouverte", "Open", "open", "*"),
        ("won", "Gagnée", "Won", "won"),
        ("lost", "Perdue", "Lost", "lost"),
    ),
    "order_status": (
        ("received", "Reçue", "Received", "*"),
        ("in_preparation", "En préparation", "In preparation"),
        ("delivered", "Livrée", "Delivered"),
        ("invoiced", "Facturée", "Invoiced"),
    ),
}
CODES = frozenset(_ITEMS)
FLAGGED: Mapping[str, Sequence[Flag]] = {  # lists whose items say what a status means to the CRM
    "opportunity_status": ("open", "won", "lost"),
}
STARTS_WITH = {"opportunity_status": "open"}  # the flag that a new record may have
# Which field of which entity has an item of the list.
OF: Mapping[str, tuple[str, str]] = {
    "contact_role": ("contact", "role"),
    "account_segment": ("account", "segment"),
    "opportunity_type": ("opportunity", "type"),
    "opportunity_status": ("opportunity", "status"),
    "order_status": ("sales_order", "status"),
}


@cache
def built_in() -> tuple[ValueList, ...]:
    """All of them."""
    return tuple(
        ValueList(
            code=code,
            items=tuple(
                ValueListItem(
                    code=one[0],
                    label=Label(fr=one[1], en=one[2]),
                    flag=next((flag for flag in FLAGGED.get(code, ()) if flag in one[3:]), None),
                    default="*" in one[3:],
                )
                for one in items
            ),
        )
        for code, items in _ITEMS.items()
    )


def with_built_in(written: Iterable[ValueList]) -> tuple[ValueList, ...]:
    """Those of the config, and those that it says nothing of."""
    mine = tuple(written)
    named = {one.code for one in mine}
    return (*mine, *(one for one in built_in() if one.code not in named))
