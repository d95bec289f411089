"""What the config says of the telephone system, as the reader of its records needs it."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from config.calls import Calls
from connectors.calls.model import Field, Switchboard


def switchboard(calls: Calls, zone: ZoneInfo) -> Switchboard:
    """The telephone system of `calls`; `zone` is the workspace's."""
    named = calls.columns
    columns = {
        Field.STARTED: named.started,
        Field.TIME: named.time,
        Field.CALLER: named.caller,
        Field.CALLED: named.called,
        Field.SECONDS: named.seconds,
        Field.STATUS: named.status,
        Field.DIRECTION: named.direction,
        Field.EXTENSION: named.extension,
        Field.ID: named.id,
    }
    return Switchboard(
        zone=calls.timezone or zone,
        own=frozenset((*(line.number for line in calls.lines), *calls.numbers)),
        prefix=calls.prefix,
        day_first=None if calls.dates is None else calls.dates == "day-first",
        columns={field: heading for field, heading in columns.items() if heading is not None},
    )


def users(calls: Calls) -> Mapping[str, str]:
    """The login of each line's user, by its number."""
    return {line.number: line.user for line in calls.lines}
