"""Names of people, as invitations write them. Pure."""

import unicodedata

LONGEST = 80  # characters of a first or last name in the CRM


def split_name(display: str, email: str) -> tuple[str, str]:
    """First and last name: "Anne Martin", "MARTIN Anne" or "Martin, Anne"; what stands before the @ where
    there is no name. The last name is never empty."""
    text = " ".join(display.replace('"', " ").split())
    if not text or "@" in text:
        words = [word.capitalize() for word in email.partition("@")[0].replace("_", ".").split(".") if word]
        text = " ".join(words) or email
    if "," in text:
        last, _, first = text.partition(",")
    else:
        words = text.split()
        capitals = [word for word in words if len(word) > 1 and word.isupper()]
        if capitals and len(capitals) < len(words):
            last, first = " ".join(capitals), " ".join(word for word in words if word not in capitals)
        else:
            first, last = " ".join(words[:-1]), words[-1]
    first, last = first.strip(), last.strip()
    return (first[:LONGEST], last[:LONGEST]) if last else ("", (first or email)[:LONGEST])


def normalised(first: str, last: str) -> str:
    """One key for the ways to write a name: no accents, case, hyphens, nor the order of first and last."""
    plain = unicodedata.normalize("NFKD", f"{first} {last}".casefold())
    letters = "".join(
        one if one.isalnum() else " " for one in plain if not unicodedata.combining(one) and one not in "'’"
    )
    return " ".join(sorted(letters.split()))
