"""All that is stored of one person as one ZIP file, to be handed out (GDPR, articles 15 and 20).

`person.json` has everything but the mail, each e-mail is a file under `emails/`, and its attachments lie
beside it. Names in the archive are made here: what a mail calls an attachment cannot lead out of a folder.
"""

import json
import re
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import BinaryIO

from store import person_rows
from store.actors import Actor
from store.blobs import BlobStore
from store.database import Database
from store.errors import NotFound
from store.person_rows import Attached
from store.persons import resolve
from syncd.engine.phones import settle_all

LONGEST_NAME = 100  # characters of an attachment's name in the archive
_UNFIT = re.compile(r"[^\w .()@+-]")


@dataclass(frozen=True, slots=True)
class Exported:
    """How much was written."""

    contacts: int
    mails: int
    files: int
    missing: int  # attachments that are not kept, or whose file is gone
    activities: int
    events: int


class PersonExport:
    """Writes such files, for one installation."""

    def __init__(self, database: Database, blobs: BlobStore, country: str) -> None:
        self._database = database
        self._blobs = blobs
        self._country = country  # of telephone numbers that name none

    def write(self, text: str, actor: Actor, now: datetime, out: BinaryIO) -> Exported:
        """Writes the archive of the person with that contact id or address. One e-mail at a time is held in
        memory. Raises NotFound, Forbidden, OSError."""
        actor.require_admin("hand out all that is stored of a person")
        settle_all(self._database, self._country)
        with (
            self._database.read() as session,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive,
        ):
            person = resolve(session, text)
            mails = files = missing = 0
            for mail, attached in person_rows.mails(session, person):
                mails += 1
                folder = f"emails/{mail['id']:08}"
                told = []
                for one in attached:
                    name = f"{folder}/{_fit(one)}"
                    there = one.kept and self._attach(archive, name, one.sha256)
                    files, missing = files + there, missing + (not there)
                    told.append({**asdict(one), "file": name if there else None})
                _put(archive, f"{folder}.json", {**mail, "attachments": told})
            contacts = person_rows.contacts(session, person)
            for id_, mime, content in person_rows.photos(session, person):
                archive.writestr(_entry(f"photos/{id_}.{mime.rpartition('/')[2]}"), content)
            activities = list(person_rows.activities(session, person))
            events = list(person_rows.events(session, person))
            attendance = person_rows.attendance(session, person)
            rest = person_rows.others(session, person)
            if not (contacts or mails or activities or events or attendance or any(rest.values())):
                raise NotFound(f"nothing is stored of {text.strip()[:320]}")
            whole = {
                "asked": {"at": now, "by": actor.login},
                "addresses": sorted(person.addresses),
                "also": list(person.clashes + person.shared),
                "contacts": contacts,
                "activities": activities,
                "events": events,
                "attendance": attendance,
                **rest,
            }
            _put(archive, "person.json", whole)
        return Exported(len(contacts), mails, files, missing, len(activities), len(events))

    def _attach(self, archive: zipfile.ZipFile, name: str, sha256: str) -> bool:
        try:
            with (
                self._blobs.path(sha256).open("rb") as source,
                archive.open(_entry(name), "w", force_zip64=True) as target,
            ):
                shutil.copyfileobj(source, target)
        except FileNotFoundError:
            return False
        return True


def _fit(one: Attached) -> str:
    """A name in the archive that no two attachments of a mail share."""
    name = _UNFIT.sub("_", one.name).strip(". ")
    return f"{one.position + 1:03}-{name[-LONGEST_NAME:]}"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16  # readable by its owner only, once unpacked
    return entry


def _put(archive: zipfile.ZipFile, name: str, value: Mapping[str, object]) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2, default=_plain)
    archive.writestr(_entry(name), text.encode("utf-8", "backslashreplace"))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")
