"""What the CRM can refuse.

StoreError
├── NotFound         no such record
├── Invalid          a value or a combination that the rules forbid
├── Immutable        the record may not be changed (automatic activities)
├── Twice            it was done already, and is done once only
├── Forbidden        the acting user lacks the right
├── Busy             another process works on this mailbox
└── SchemaMismatch   the database is older or newer than this program: `syncd db upgrade`
"""


class StoreError(Exception):
    """The root of everything the store refuses on purpose."""


class NotFound(StoreError):
    """No such record."""


class Invalid(StoreError):
    """A value or a combination that the rules forbid; the message names the field and what is accepted."""


class Immutable(StoreError):
    """The record may not be changed or deleted by a user."""


class Twice(StoreError):
    """It was done already, and is done once only; the message names what came of it."""


class Forbidden(StoreError):
    """The acting user lacks the right; the message names it."""


class Busy(StoreError):
    """Another process works on this mailbox."""


class SchemaMismatch(StoreError):
    """The tables are not those of this program."""


class Stale(StoreError):
    """Somebody else wrote meanwhile: what was decided by the former state must be decided again."""
