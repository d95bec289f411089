"""Taking the CRM's block off a text that a person, or a server, has worked on."""

import pytest

from connectors.block import attach, strip

BLOCK = "Conseil : rappeler\n\nCA 12 k€"


def test_the_block_stands_after_the_notes_between_its_markers() -> None:
    assert attach("Notes", "a\nb") == "Notes\n\n--- CRM ---\na\nb\n--- fin CRM ---"
    assert attach("", "a") == "--- CRM ---\na\n--- fin CRM ---"
    assert attach("Notes", "") == attach("Notes", "\n\n") == "Notes"


def test_a_marker_inside_a_block_does_not_end_it() -> None:
    assert strip(attach("n", "a\n--- fin CRM ---\nb")) == "n"


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("a\n--- CRM ---\nx\n--- fin CRM ---\nb", "a\nb"),
        ("a\r\n\r\n--- CRM ---\r\nx\r\n--- fin CRM ---\r\n", "a\r\n"),
        ("a\n\n  --- CRM ---\nx\n--- fin CRM ---  ", "a"),
        ("--- CRM ---\nx\n--- fin CRM ---\n--- CRM ---\ny\n--- fin CRM ---", ""),
        ("a\n--- CRM ---\nx", "a\n--- CRM ---\nx"),
        ("a\nx\n--- fin CRM ---", "a\nx\n--- fin CRM ---"),
        ("--- CRM ---\nmine\n--- CRM ---\nx\n--- fin CRM ---", "--- CRM ---\nmine"),
        ("--- CRM ---\nold\n\n--- CRM ---\nx\n--- fin CRM ---\n--- fin CRM ---\nb", "b"),
        ("a --- CRM ---\nx\n--- fin CRM ---", "a --- CRM ---\nx\n--- fin CRM ---"),
    ],
)
def test_every_complete_block_goes_and_all_else_stays(text: str, notes: str) -> None:
    assert strip(text) == notes


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("Notes\n\n--- CRM ---\nConseil : rappeler\n\nCA 12 k€", "Notes"),
        ("Notes\nConseil : rappeler\nmine\nCA 12 k€\n--- fin CRM ---", "Notes\nmine"),
        ("Notes\nConseil : rappeler\nCA 12 k€ net", "Notes\nCA 12 k€ net"),
        (attach("Conseil : rappeler", BLOCK), "Conseil : rappeler"),
        ("Notes\n\n", "Notes\n\n"),
    ],
)
def test_where_a_marker_is_missing_the_lines_written_last_go_and_no_others(text: str, notes: str) -> None:
    assert strip(text, BLOCK).rstrip("\n") == notes.rstrip("\n")
