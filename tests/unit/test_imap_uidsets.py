"""UID sets: as short as can be in commands, within bounds in answers."""

import pytest

from connectors.imap.uidsets import (
    LINE_LIMIT,
    batches,
    batches_by_size,
    parse_extended,
    parse_numbers,
    parse_set,
    uid_set,
)


def test_runs_are_written_as_ranges() -> None:
    assert uid_set([1, 2, 3, 5, 7, 8]) == "1:3,5,7:8"
    assert uid_set([9]) == "9"


def test_batches_are_bounded_and_in_order() -> None:
    assert list(batches([5, 1, 3, 3, 2], 2)) == [[1, 2], [3, 5]]
    assert list(batches([], 2)) == []


def test_a_batch_fits_on_a_command_line() -> None:
    scattered = [4_000_000_000 + 2 * number for number in range(2000)]
    found = list(batches(scattered, 500))
    assert all(len(uid_set(batch)) <= LINE_LIMIT for batch in found)
    assert [uid for batch in found for uid in batch] == scattered


def test_batches_by_size_hold_few_octets_or_one_message() -> None:
    sizes = {1: 4, 2: 4, 3: 9, 4: 1, 5: 1}
    assert list(batches_by_size([1, 2, 3, 4, 5], sizes, most=50, octets=8)) == [[1, 2], [3], [4, 5]]
    assert list(batches_by_size([1, 2, 3], {}, most=2, octets=8)) == [[1, 2], [3]]


def test_a_set_is_expanded_in_either_direction() -> None:
    assert parse_set(b"7,3:1,5", 10) == [1, 2, 3, 5, 7]


@pytest.mark.parametrize("text", [b"", b"0", b"1:*", b"a", b"1,,2", b"-1", b"1:2:3", b"99999999999"])
def test_what_is_no_set_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="messages"):
        parse_set(text, 10)


def test_a_set_beyond_all_bounds_is_refused_before_it_is_built() -> None:
    with pytest.raises(ValueError, match="messages"):
        parse_set(b"1:4294967295", 20_000_000)


def test_extended_answers_are_joined() -> None:
    assert parse_extended([b'(TAG "A1") UID ALL 1:3', b'(TAG "A1") UID COUNT 2 ALL 9 MODSEQ 5'], 10) == [
        1,
        2,
        3,
        9,
    ]
    assert parse_extended([b'(TAG "A1") UID'], 10) == []


def test_search_answers_are_joined_sorted_and_without_duplicates() -> None:
    assert parse_numbers([b"3 1 2", b"2 9 (MODSEQ 12)", b""]) == [1, 2, 3, 9]


@pytest.mark.parametrize("line", [b"1 x", b"1 -2", b"99999999999"])
def test_garbage_in_a_search_answer_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="messages"):
        parse_numbers([line])
