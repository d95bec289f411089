"""The machine of calendars knows what a person wrote, and what only follows from the series."""

from dataclasses import replace
from datetime import timedelta

from connectors.calendar import Item, When
from syncd.core.conflicts import Rules
from syncd.core.merge import merge
from tests.property.agenda_crm import new_item, with_override
from tests.property.agenda_truth import Truth


def series() -> Item:
    return new_item(
        "one", 20, "claire@acme.example", series=True, task=False, guest="", past=False, private=False
    )


def later(item: Item) -> Item:
    """Its one changed occurrence takes place an hour later than the series says."""
    override = item.components[1]
    start, end = override.timing.start, override.timing.end
    assert start is not None
    assert end is not None
    moved = [When(one.local + timedelta(hours=1), one.zone) for one in (start, end)]
    timing = replace(override.timing, start=moved[0], end=moved[1])
    return replace(item, components=(item.main, replace(override, timing=timing)))


def test_the_time_that_an_occurrence_has_by_its_series_is_nobodys_change() -> None:
    """Who changes the subject of an occurrence in the CRM does not lose the time that a client gives it."""
    base = series()
    crm, remote = with_override(base, 20), later(with_override(base, 25))
    truth = Truth()
    truth.edited("one", None, base)
    truth.edited("one", base, crm)
    truth.edited("one", base, remote)

    merged = merge(base_crm=base, base_remote=base, crm=crm, remote=remote, rules=Rules())

    told = "\n".join(str(value) for one in merged.conflicts for value in (one.crm, one.remote)).casefold()
    assert truth.missing("one", merged.crm, told) == set()
    assert truth.missing("one", crm, told) != set(), "the time that a client gave it is not forgotten"
