"""Every kind of record that people write, by its name on the command line."""

from store import fields
from store.fields import Kind

KINDS: dict[str, Kind] = dict(fields.KINDS)
