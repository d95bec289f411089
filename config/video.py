"""The table that says what becomes of ended video meetings. `config.settings` offers it on.

The text below a field is its description in the JSON Schema and in messages.
"""

from datetime import timedelta

from config.types import Duration, LocalPath, Period, Section


class Video(Section):
    """Video meetings, and the activities and forms that they become (table T8)."""

    grace: Duration = timedelta(minutes=5)
    """A meeting counts as ended so long after its end."""
    lookback: Duration = timedelta(hours=72)
    """Meetings that ended longer ago when they are first seen get an activity, and no form."""
    record_unlinked: bool = False
    """Record meetings that concern no account, contact or opportunity, too."""
    form: bool = True
    """Ask the owner for a report: a task in the owner's task list."""
    due: Duration = timedelta(days=1)
    """The report is due so many whole days after the meeting."""
    remind: bool = True
    """Remind once, in the morning of the day after that."""
    auto_validate: Period | None = None
    """Let activities without a report enter the history after so long; by default they wait."""
    attendance: LocalPath | None = None
    """Where attendance reports are dropped; without it none are read. Relative to the config file."""
