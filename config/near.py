"""The name that was probably meant, for messages."""

import difflib
from collections.abc import Mapping


def nearest(written: str, known: "list[str] | Mapping[str, object]") -> str:
    """The end of a message: the known name that was probably meant, else all of them."""
    near = difflib.get_close_matches(written[:64].lower(), known, n=1)
    if near:
        return f'; did you mean "{near[0]}"?'
    few = ", ".join(sorted(known)[:12])
    return f"; known here: {few}" if few else ""
