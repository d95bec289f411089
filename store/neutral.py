"""Text that a spreadsheet would take for a formula, made harmless in files that leave and given back in those
that come (OWASP, "CSV Injection").

A text cell that begins with one of = + - @, a tab or a carriage return gets an apostrophe before it; one that
already begins with apostrophes and then such a sign gets one more. So taking one away gives back exactly what
there was.
"""

import re

_RISKY = re.compile(r"'*[=+\-@\t\r]")
_MARKED = re.compile(r"'+[=+\-@\t\r]")


def harmless(text: str) -> str:
    """The text as it is written into a cell."""
    return "'" + text if _RISKY.match(text) else text


def original(cell: str) -> str:
    """The text that a cell stands for."""
    return cell[1:] if cell.startswith("'") and _MARKED.match(cell) else cell
