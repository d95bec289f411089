"""Call records on the command line: a file by hand."""

import sys
from pathlib import Path

from syncd.cli.context import Cli, UsageError
from syncd.cli.output import as_json, count, say, warn

FEW = 10  # lines that are named


def import_calls(cli: Cli, file: Path, *, dry_run: bool, json: bool) -> None:
    """Records the calls of a file, as if it had been dropped; the file stays where it is."""
    from connectors.errors import BadFile
    from connectors.sheet import MAX_BYTES
    from syncd.daemon.clock import now
    from syncd.daemon.meetings import calling

    if str(file) == "-":
        content = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    with cli.installation() as installation:
        calls = calling(
            installation.settings, installation.hashed, installation.database, installation.people
        )
        try:
            done = calls.record(content, file.name, now(), dry_run=dry_run)
        except BadFile as error:
            raise UsageError(error.told()) from None
    if json:
        as_json({"dry_run": dry_run, "created": done.made, "known": done.known, "unlinked": done.unlinked,
                 "forms": done.offered, "without_number": done.without_number})  # fmt: skip
        return
    would = "would be " if dry_run else ""
    say(
        f"calls: {done.made} {would}recorded ({done.offered} with a form), {done.known} known, "
        f"{done.unlinked} with numbers of nobody left out"
    )
    if done.without_number:
        lines = ", ".join(str(line) for line in done.without_number[:FEW])
        more = ", …" if len(done.without_number) > FEW else ""
        warn(f"{count(len(done.without_number), 'call')} without a number, in line {lines}{more}: left out")
