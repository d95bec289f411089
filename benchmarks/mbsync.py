"""mbsync (isync) copying a mailbox to a maildir: the yardstick of the first log.

It is set to its fastest: no fsync, no compression, pipelining as deep as it likes. ext4 avoids inode
numbers deleted in the last minutes (`recently_deleted` in fs/ext4/ialloc.c): removing 20,000 files makes
creating the next 20,000 two to three times as slow, and a yardstick that slows itself down flatters
whatever it is held against. So the limit is held against copies into a new directory, all of them kept
until the benchmark ends; what a person sees who removes the former copy first is measured beside it.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import Usage, empty_files, measure

_CONFIG = """\
FSync no

IMAPAccount source
Host {host}
Port {port}
User {username}
Pass {password}
AuthMechs LOGIN
DisableExtension COMPRESS=DEFLATE
{security}

IMAPStore far
Account source

MaildirStore near
Path {target}/
Inbox {target}/INBOX
SubFolders Verbatim

Channel copy
Far :far:
Near :near:
Patterns INBOX Sent
Create Near
Sync Pull
SyncState *
"""


@dataclass(frozen=True, slots=True)
class Source:
    """A mailbox at a server on this machine."""

    port: int
    username: str
    password: str
    ca_file: Path | None = None  # implicit TLS, trusting this; None = clear text


class IncompleteCopy(Exception):
    """mbsync copied another number of messages than there are."""


def available() -> bool:
    """Whether mbsync (Debian package isync) is installed."""
    return shutil.which("mbsync") is not None


def copy(source: Source, into: Path, *, messages: int) -> Usage:
    """Copies Inbox and Sent into a new directory below `into`; returns what it cost.

    The files stay, emptied, for the caller to remove once nothing is measured any more. Raises
    IncompleteCopy unless that many messages arrived.
    """
    scratch = Path(tempfile.mkdtemp(prefix="mbsync-", dir=into))
    usage = _copy(source, scratch, messages)
    empty_files(scratch)
    return usage


def copy_again(source: Source, scratch: Path, *, messages: int) -> Usage:
    """The same into a directory of that name, whose former content is removed right before."""
    if scratch.exists():
        shutil.rmtree(scratch)
    scratch.mkdir()
    return _copy(source, scratch, messages)


def _copy(source: Source, scratch: Path, messages: int) -> Usage:
    target, config = scratch / "mail", scratch / "mbsyncrc"
    target.mkdir()
    config.touch(mode=0o600)
    config.write_text(_config(source, target))
    usage = measure(["mbsync", "--quiet", "--config", config, "copy"])
    copied = sum(1 for part in ("cur", "new") for _ in target.glob(f"*/{part}/*"))
    if copied != messages:
        raise IncompleteCopy(f"mbsync copied {copied} messages of {messages}")
    return usage


def _config(source: Source, target: Path) -> str:
    if source.ca_file is None:
        host, security = "127.0.0.1", "SSLType None"
    else:
        # Certificates are checked against names only, not addresses.
        host, security = "localhost", f"SSLType IMAPS\nCertificateFile {source.ca_file}"
    return _CONFIG.format(
        host=host,
        port=source.port,
        username=source.username,
        password=source.password,
        security=security,
        target=target,
    )
