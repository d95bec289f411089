"""Three-way merge of text, line by line. Pure, and nearly linear whatever a stranger wrote.

Lines that both texts share are found between lines that occur once in each; a stretch without such lines
is compared in full only while it is short. A match that is missed makes a conflict, never a wrong merge.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

FULL = 32  # lines on either side up to which every pair is compared
LONGEST = 20_000  # lines of a text that is still merged; notes of people are far shorter
DEEPEST = 40  # stretches within stretches


def merge_text(base: str, crm: str, remote: str) -> str | None:
    """The text with both sides' changes of lines; None where they touch the same place."""
    base_lines, crm_lines, remote_lines = (text.split("\n") for text in (base, crm, remote))
    if max(len(base_lines), len(crm_lines), len(remote_lines)) > LONGEST:
        return None
    in_crm = dict(matching(base_lines, crm_lines))
    in_remote = dict(matching(base_lines, remote_lines))
    merged: list[str] = []
    at_base = at_crm = at_remote = 0
    for line in [
        *(one for one in range(len(base_lines)) if one in in_crm and one in in_remote),
        len(base_lines),
    ]:
        to_crm = in_crm.get(line, len(crm_lines))
        to_remote = in_remote.get(line, len(remote_lines))
        stretch = _one_of(
            base_lines[at_base:line], crm_lines[at_crm:to_crm], remote_lines[at_remote:to_remote]
        )
        if stretch is None:
            return None
        merged += stretch
        merged += base_lines[line : line + 1]
        at_base, at_crm, at_remote = line + 1, to_crm + 1, to_remote + 1
    return "\n".join(merged)


def _one_of(base: list[str], crm: list[str], remote: list[str]) -> list[str] | None:
    if crm in (base, remote):
        return remote
    if remote == base:
        return crm
    if len(base) == len(crm) == len(remote):
        # Neighbouring lines, each changed by one side: they are different lines all the same.
        lines = [_line_of(*line) for line in zip(base, crm, remote, strict=True)]
        found = [line for line in lines if line is not None]
        return found if len(found) == len(lines) else None
    return None


def _line_of(base: str, crm: str, remote: str) -> str | None:
    if crm in (base, remote):
        return remote
    return crm if remote == base else None


def matching(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of equal lines, ascending on both sides."""
    found: list[tuple[int, int]] = []
    waiting = [(0, len(before), 0, len(after), 0)]
    while waiting:
        low, high, other_low, other_high, depth = waiting.pop()
        while low < high and other_low < other_high and before[low] == after[other_low]:
            found.append((low, other_low))
            low, other_low = low + 1, other_low + 1
        while low < high and other_low < other_high and before[high - 1] == after[other_high - 1]:
            high, other_high = high - 1, other_high - 1
            found.append((high, other_high))
        if low == high or other_low == other_high:
            continue
        if max(high - low, other_high - other_low) <= FULL:
            blocks = SequenceMatcher(None, before[low:high], after[other_low:other_high], autojunk=False)
            for block in blocks.get_matching_blocks():
                found += [(low + block.a + step, other_low + block.b + step) for step in range(block.size)]
        elif depth < DEEPEST:
            anchors = [
                (low + line, other_low + other)
                for line, other in _anchors(before[low:high], after[other_low:other_high])
            ]
            for line, other in [*anchors, (high, other_high)] if anchors else []:
                waiting.append((low, line, other_low, other, depth + 1))
                if line < high:
                    found.append((line, other))
                low, other_low = line + 1, other + 1
    return sorted(found)


def _anchors(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """Lines that occur once on each side, in the same order on both."""
    once = {line for line, times in Counter(before).items() if times == 1}
    once &= {line for line, times in Counter(after).items() if times == 1}
    there = {line: at for at, line in enumerate(after) if line in once}
    return _ascending([(at, there[line]) for at, line in enumerate(before) if line in once])


def _ascending(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs that ascends on the second side too (the first one ascends already)."""
    tails: list[int] = []
    tail_at: list[int] = []
    previous: list[int] = []
    for index, (_, other) in enumerate(pairs):
        place = bisect_left(tails, other)
        previous.append(tail_at[place - 1] if place else -1)
        tails[place : place + 1] = [other]
        tail_at[place : place + 1] = [index]
    chain: list[tuple[int, int]] = []
    index = tail_at[-1] if tail_at else -1
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]
