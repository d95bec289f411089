"""Reads messages for another process: requests come in by standard input, answers go out by standard output.

    python -m syncd.engine.reader

It ends when its input does, which is when the process that started it closes it or dies. It imports as
little as it can: this is memory that a second process needs.
"""

import fcntl
import os
import pickle
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from connectors.errors import ItemError
from syncd.engine import garbage
from syncd.engine.content import Content, Limits, read_content

PIPE = 1024 * 1024  # octets that a pipe holds: fewer changes between the two processes
HEAD = 8  # octets of a length

Outcome = Content | str  # a string says why a message cannot be read


def read_each(messages: Sequence[memoryview | bytes], parts: Path, limits: Limits) -> list[Outcome]:
    """The contents of messages; OSError where the disk does not take an attachment."""
    found: list[Outcome] = []
    for message in messages:
        try:
            found.append(read_content(message, parts, limits))
        except ItemError as error:
            found.append(str(error))
    return found


def send(pipe: BinaryIO, octets: bytes) -> None:
    """Writes one message for `receive`, in one call. Raises OSError."""
    pipe.write(len(octets).to_bytes(HEAD) + octets)
    pipe.flush()


def receive(pipe: BinaryIO) -> bytes | None:
    """What `send` wrote; None at the end, also where it ends in the middle. Raises OSError."""
    head = pipe.read(HEAD)
    size = int.from_bytes(head)
    octets = pipe.read(size)
    return octets if len(head) == HEAD and len(octets) == size else None


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers until there is nobody who asks."""
    for pipe in (requests, answers):
        with suppress(OSError):  # a small pipe does as well
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)
    while (request := receive(requests)) is not None:
        messages, parts, limits = pickle.loads(request)  # noqa: S301 - from the process that started this
        answer: list[Outcome] | OSError
        try:
            answer = read_each(messages, parts, limits)
        except OSError as error:
            answer = OSError(error.errno, error.strerror)
        try:
            send(answers, pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
        except BrokenPipeError:
            os._exit(0)  # nobody listens: no complaint about what could not be flushed


if __name__ == "__main__":
    # Whoever started it decides when it ends, by closing the pipe.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    garbage.look_seldom()  # as the process that started it
    serve(sys.stdin.buffer, sys.stdout.buffer)
