"""UID sets of IMAP (RFC 3501 section 9, RFC 4731): numbers to text and back, within bounds. No I/O.

What is no such text is a ValueError."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

MAX_UID = 4_294_967_295
LINE_LIMIT = 7_000  # octets of one set; servers take command lines of 8,000 and more (RFC 2683, 3.2.1.5)

_SET = re.compile(rb"[1-9]\d{0,9}(?::[1-9]\d{0,9})?(?:,[1-9]\d{0,9}(?::[1-9]\d{0,9})?)*")


def ranges(uids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run in the ascending numbers."""
    first = last = 0
    for uid in uids:
        if uid == last + 1 and first:
            last = uid
            continue
        if first:
            yield first, last
        first = last = uid
    if first:
        yield first, last


def uid_set(uids: Sequence[int]) -> str:
    """The shortest set that names exactly these ascending numbers: `5:9,12`."""
    return ",".join(f"{first}:{last}" if last > first else str(first) for first, last in ranges(uids))


def batches(uids: Sequence[int], most: int) -> Iterator[list[int]]:
    """Ascending batches without duplicates, of at most `most` numbers and one command line each."""
    batch: list[int] = []
    length = 0
    for uid in sorted(set(uids)):
        # In a run the set grows only by its end; counting every number bounds it from above.
        step = 0 if batch and uid == batch[-1] + 1 else 2 * len(str(uid)) + 2
        if batch and (len(batch) >= most or length + step > LINE_LIMIT):
            yield batch
            batch, length, step = [], 0, 2 * len(str(uid)) + 2
        batch.append(uid)
        length += step
    if batch:
        yield batch


def batches_by_size(
    uids: Sequence[int], sizes: Mapping[int, int], *, most: int, octets: int
) -> Iterator[list[int]]:
    """Batches as `batches`, whose messages also sum up to at most `octets`, or that are one message."""
    for run in batches(uids, most):
        batch: list[int] = []
        total = 0
        for uid in run:
            size = sizes.get(uid, 0)
            if batch and total + size > octets:
                yield batch
                batch, total = [], 0
            batch.append(uid)
            total += size
        if batch:
            yield batch


def parse_set(text: bytes, most: int) -> list[int]:
    """The numbers of a set as a server sends it, ascending. ValueError beyond `most` numbers."""
    if not _SET.fullmatch(text):
        raise ValueError("not a list of messages")
    found: set[int] = set()
    room = most
    for part in text.split(b","):
        first, _, last = part.partition(b":")
        low, high = int(first), int(last or first)
        if low > high:
            low, high = high, low  # RFC 3501: 4:2 is 2:4
        room -= high - low + 1
        if room < 0 or high > MAX_UID:
            raise ValueError("more messages than a folder can hold")
        found.update(range(low, high + 1))
    return sorted(found)


def parse_extended(lines: Iterable[bytes], most: int) -> list[int]:
    """The numbers of ESEARCH answers (RFC 4731) to RETURN (ALL); without ALL in them there are none."""
    found: set[int] = set()
    for line in lines:
        words = line.upper().split()
        for name, value in pairwise(words):
            if name == b"ALL":
                found.update(parse_set(value, most))
    return sorted(found)


def parse_numbers(lines: Iterable[bytes]) -> list[int]:
    """The numbers of SEARCH answers, ascending, without duplicates; a MODSEQ behind them is ignored."""
    found: set[int] = set()
    for line in lines:
        words = line.partition(b"(")[0].split()
        if not all(word.isdigit() and len(word) <= len(str(MAX_UID)) for word in words):
            raise ValueError("not a list of messages")
        found.update(map(int, words))
    return sorted(found)
