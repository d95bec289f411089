"""How far an account is from whoever looks (R095)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from store import places
from store.database import Transaction
from syncd.core.distance import Position, metres


def position(place: tuple[Decimal | None, Decimal | None] | None) -> Position | None:
    """A place of the CRM; None where it is not known."""
    if place is None or place[0] is None or place[1] is None:
        return None
    return Position(float(place[0]), float(place[1]))


def alternate(values: Mapping[str, Any]) -> Position | None:
    """Where an event's other address is, by the columns of the event (R069)."""
    return position((values["alt_lat"], values["alt_lon"]))


def of_account(
    session: Transaction, account_id: int | None, user_id: int | None, device: Position | None = None
) -> int | None:
    """Metres from the device to the account, else from where the user sets out; None where a place is not
    known."""
    if account_id is None:
        return None
    start = device
    if start is None and user_id is not None:
        start = position(places.base_of(session, user_id))
    return metres(start, position(places.of_accounts(session, [account_id]).get(account_id)))


def of_event(
    session: Transaction, values: Mapping[str, Any], user_id: int | None, device: Position | None = None
) -> int | None:
    """Metres from the device, else from the event's other address, else from where the user sets out, to the
    address of the event's account; None where a place is not known. By the columns of the event."""
    return of_account(session, values["account_id"], user_id, device or alternate(values))


def from_base(session: Transaction, account_ids: Iterable[int], user_id: int) -> dict[int, int]:
    """Metres from where the user sets out to each of these accounts: those that are located, if the user's
    base is known. Two queries, however many there are."""
    base = position(places.base_of(session, user_id))
    if base is None:
        return {}
    there = places.of_accounts(session, account_ids)
    found = {id_: metres(base, position(place)) for id_, place in there.items()}
    return {id_: far for id_, far in found.items() if far is not None}
