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
    "activity_type": (
        ("visit", "Visite", "Visit", "visit"),
        ("meeting", "Réunion", "Meeting", "meeting", "*"),
        ("call", "Appel", "Call", "call"),
        ("email", "E-mail", "Email", "email"),
        ("comment", "Commentaire", "Comment", "comment"),
        ("video_call", "Visioconférence", "Video call", "video_call"),
    ),
    "report_outcome": (
        ("positive", "Positif", "Positive"),
        ("neutral", "Neutre", "Neutral"),
        ("negative", "Négatif", "Negative"),
        ("follow_up", "À relancer", "To follow up"),
        ("not_held", "N'a pas eu lieu", "Did not take place"),
    ),
    "action_type": (
        ("call", "Appel", "Call"),
        ("visit", "Visite", "Visit"),
        ("mail", "Courrier", "Letter or e-mail"),
        ("quote", "Offre", "Quote"),
        ("other", "Autre", "Other"),
    ),
    "action_status": (
        ("to_do", "À faire", "To do", "*"),
        ("in_progress", "En cours", "In progress"),
        ("done", "Terminée", "Done"),
        ("cancelled", "Annulée", "Cancelled"),
    ),
    "case_file_type": (
        ("sale", "Vente", "Sale"),
        ("project", "Projet", "Project"),
        ("service", "Service après-vente", "Service"),
        ("dispute", "Litige", "Dispute"),
        ("other", "Autre", "Other"),
    ),
    "case_file_status": (
        ("open", "Ouvert", "Open", "*"),
        ("won", "Gagné", "Won"),
        ("lost", "Perdu", "Lost"),
        ("on_hold", "En attente", "On hold"),
    ),
}
CODES = frozenset(_ITEMS)
FLAGGED: Mapping[str, Sequence[Flag]] = {  # lists whose items say what a status means to the CRM
    "opportunity_status": ("open", "won", "lost"),
}
# Lists whose items may say it: what says nothing means what its code says, else the last of these words.
MEANT: Mapping[str, Sequence[Flag]] = {
    "activity_type": ("visit", "call", "email", "comment", "video_call", "meeting"),
}
NO_DEFAULT: Mapping[str, frozenset[Flag]] = {  # what a new record is never without somebody saying so
    "activity_type": frozenset({"email", "comment", "video_call"}),
}
STARTS_WITH = {"opportunity_status": "open"}  # the flag that a new record may have
# Which field of which entity has an item of the list. No record has an action's yet.
OF: Mapping[str, tuple[str, str]] = {
    "contact_role": ("contact", "role"),
    "account_segment": ("account", "segment"),
    "opportunity_type": ("opportunity", "type"),
    "opportunity_status": ("opportunity", "status"),
    "order_status": ("sales_order", "status"),
    "activity_type": ("activity", "type"),
    "report_outcome": ("meeting_report", "outcome"),
    "case_file_type": ("case_file", "type"),
    "case_file_status": ("case_file", "status"),
}


def meaning(list_code: str, code: str, flag: str | None) -> str | None:
    """What an item means to the CRM, where its list says that of each; None elsewhere."""
    may = MEANT.get(list_code)
    if flag is not None or may is None:
        return flag
    return code if code in may else may[-1]


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
                    flag=next(
                        (flag for flag in (*FLAGGED.get(code, ()), *MEANT.get(code, ())) if flag in one[3:]),
                        None,
                    ),
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
