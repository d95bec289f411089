"""Card files read into proposals."""

from collections.abc import Collection, Iterator

from connectors.cards.reading import BadCard, Card, read
from store.drafts import DraftSource
from syncd.core.names import split_name
from syncd.engine.cards import Proposal

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
    confidence = {name: sure if name in {"last_name", "first_name"} else 1.0 for name in values}
    return Proposal(
        card.number, DraftSource.PHONEBOOK, card.raw, values, card.organisation, confidence, left_out
    )


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
