"""The table that says whether logos are fetched. `config.settings` offers it on.

The text below a field is its description in the JSON Schema and in messages.
"""

from config.types import Section


class Logos(Section):
    """Logos of accounts."""

    fetch: bool = False
    """Whether the service looks at the websites of accounts without a logo and takes the icon they name."""
