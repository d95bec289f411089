"""Names of people, split as invitations write them."""

import pytest

from syncd.core.names import split_name


@pytest.mark.parametrize(
    ("display", "first", "last"),
    [
        ("Anne Martin", "Anne", "Martin"),
        ("MARTIN Anne", "Anne", "MARTIN"),
        ("Anne-Marie DE WITTE", "Anne-Marie", "DE WITTE"),
        ("Martin, Anne", "Anne", "Martin"),
        ("Anne", "", "Anne"),
        ('"Anne  Martin"', "Anne", "Martin"),
        ("", "Anne", "Martin"),
        ("anne.martin@far.example", "Anne", "Martin"),
        (",", "", "anne.martin@far.example"),
        ("X" * 200, "", "X" * 80),
    ],
)
def test_a_name_has_a_first_and_a_last_part(display: str, first: str, last: str) -> None:
    assert split_name(display, "anne.martin@far.example") == (first, last)
