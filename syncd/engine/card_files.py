"""Card files, and pictures of cards, read into proposals."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from connectors import pictures
from connectors.cards.lines import BadFile
from connectors.cards.reading import BadCard, Card, read
from connectors.cards.scanning import scan
from store.drafts import DraftSource
from store.photos import Drawn
from syncd.core.names import split_name
from syncd.engine.cards import Proposal
from syncd.engine.pictures import drawn

GUESSED = 0.6  # confidence in a name that was one text, and is two fields here


def proposals(data: bytes, country: str, only: Collection[int] = ()) -> Iterator[Proposal]:
    """What the cards of a file tell; of those with these numbers only, if any are named.

    Raises `connectors.cards.lines.BadFile`.
    """
    for card in read(data):
        if only and card.number not in only:
            continue
        if isinstance(card, BadCard):
            reason = f"line {card.line}: {card.reason}"
            yield Proposal(card.number, DraftSource.PHONEBOOK, card.raw, {}, problem=reason)
        else:
            yield _proposal(card, country)


def _proposal(card: Card, country: str) -> Proposal:
    first, last, sure = card.first_name, card.last_name, 1.0
    if not last and len(card.full_name.split()) > 1 and card.full_name != card.organisation:
        first, last = split_name(card.full_name, "")
        sure = GUESSED
    landline, mobile, more = _numbers(card, country)
    values = {
        "last_name": last, "first_name": first, "phone_landline": landline, "phone_mobile": mobile,
        "skype": card.skype, "linkedin": card.linkedin, "position": card.position, "gender": card.gender,
        "comment": card.comment,
    } | dict(zip(("email", "email2", "email3"), card.emails, strict=False))  # fmt: skip
    values = {name: value for name, value in values.items() if value}
    left_out = (*card.left_out, *([f"{more} more telephone numbers"] if more else []))
    photo, wrong = _photo(card.photo)
    confidence = {name: sure if name in {"last_name", "first_name"} else 1.0 for name in values}
    return Proposal(
        card.number, DraftSource.PHONEBOOK, card.raw, values, card.organisation, confidence,
        (*left_out, *wrong), roles=card.roles, photo=photo,
    )  # fmt: skip


def _photo(data: bytes) -> tuple[Drawn | None, list[str]]:
    """The photo of a card, drawn anew before any transaction begins; or why it is left out."""
    if not data:
        return None, []
    try:
        return drawn(pictures.photo(data)), []
    except pictures.BadPicture as error:
        return None, [f"photo that {error}"]


def _numbers(card: Card, country: str) -> tuple[str, str, int]:
    """Landline, mobile, and how many numbers have no place. One that the card does not name goes by what it
    is."""
    landline, mobile, more = card.landline, card.mobile, 0
    if not card.other_phones:
        return landline, mobile, 0
    from syncd.core.calls import is_mobile

    for number in card.other_phones:
        if not mobile and is_mobile(number, country):
            mobile = number
        elif not landline and not is_mobile(number, country):
            landline = number
        else:
            more += 1
    return landline, mobile, more


def scanned(data: bytes, country: str) -> Proposal:
    """What the picture of a card tells; a card in its QR code wins over the letters (R039).

    Raises `connectors.cards.scanning.CannotScan`.
    """
    found = scan(data)
    if found.code:
        try:
            cards = [card for card in read(found.code.encode()) if isinstance(card, Card)]
        except BadFile:
            cards = []
        if cards:
            return replace(_proposal(cards[0], country), source=DraftSource.CARD_SCAN, reachable=True)
    from syncd.core.card_text import parse  # brings every country's numbers with it

    told = parse(found.text, country)
    sure = {name: one.confidence for name, one in told.fields.items()}
    if told.organisation is not None:
        sure["organisation"] = told.organisation.confidence
    return Proposal(
        1,
        DraftSource.CARD_SCAN,
        found.text.encode(),
        {name: one.value for name, one in told.fields.items()},
        "" if told.organisation is None else told.organisation.value,
        sure,
        problem="" if told.fields else "nothing that a contact has was recognised",
        candidates=told.candidates,
        reachable=True,
    )
