"""Checks each message against Microsoft's schema of Exchange 2016, where its files are at hand.

The schema is not part of the project: `SYNCD_EWS_SCHEMA` names its folder, else `../shared/ews-schema`
beside the repository is looked for. Without it nothing is checked and `why_not` says so; under CI that fails.
"""

import functools
import os
import threading
from pathlib import Path

from lxml import etree

from tests.servers.ews.xmlwork import ERRORS, MESSAGES, SOAP, TYPES

VARIABLE = "SYNCD_EWS_SCHEMA"
_BESIDE = Path(__file__).parents[4] / "shared" / "ews-schema"


def schema_folder() -> Path | None:
    """Where messages.xsd is, or None."""
    named = os.environ.get(VARIABLE)
    folder = Path(named) if named else _BESIDE
    return folder if (folder / "messages.xsd").is_file() else None


def why_not() -> str | None:
    """Why messages are not checked here, or None where they are. Raises under CI."""
    if schema_folder() is not None:
        return None
    reason = f"messages of the EWS server are not checked: no schema; {VARIABLE} may name its folder"
    if os.environ.get("CI"):
        raise FileNotFoundError(reason)
    return reason


@functools.cache
def _schema(folder: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(folder / "messages.xsd"))


class SchemaCheck:
    """Validates envelopes and keeps what was wrong, for the test's end."""

    def __init__(self, *, checked: bool = True) -> None:
        if checked:
            why_not()
        self._folder = schema_folder() if checked else None
        self._lock = threading.Lock()
        self.problems: list[str] = []
        self.checked = 0
        self.older_clients = False  # a version in the header that is older than the schema's is no problem

    def request(self, content: bytes) -> str | None:
        """What is wrong with a request, or None. It is also kept as a problem."""
        return self._check("request", content)

    def response(self, content: bytes) -> str | None:
        """What is wrong with a response of the server itself, or None. It is also kept as a problem."""
        return self._check("response", content)

    def forgive(self) -> list[str]:
        """Takes out what was found so far: for a test that is about invalid messages."""
        with self._lock:
            found, self.problems = self.problems, []
            return found

    def _check(self, kind: str, content: bytes) -> str | None:
        if self._folder is None:
            return None
        wrong = self._violation(self._folder, content)
        with self._lock:
            self.checked += 1
            if wrong is not None:
                self.problems.append(f"{kind}: {wrong}\n{content[:4000].decode(errors='replace')}")
        return wrong

    def _violation(self, folder: Path, content: bytes) -> str | None:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, huge_tree=True))
        if root.tag != f"{{{SOAP}}}Envelope":
            return f"{root.tag} where an envelope should be"
        schema = _schema(folder)
        parts = [*root.iterfind(f"{{{SOAP}}}Header/*"), *root.iterfind(f"{{{SOAP}}}Body/*")]
        if root.find(f"{{{SOAP}}}Body") is None:
            return "no Body"
        for part in parts:
            if self.older_clients and part.tag == f"{{{TYPES}}}RequestServerVersion":
                continue
            if part.tag == f"{{{SOAP}}}Fault" or part.tag.startswith(f"{{{ERRORS}}}"):
                continue  # SOAP's own, not in this schema
            for notification in part.iterfind(f".//{{{MESSAGES}}}Notifications/{{{MESSAGES}}}Notification"):
                # The schema has it in the types' namespace, Microsoft's samples and client in the messages'.
                notification.tag = f"{{{TYPES}}}Notification"
            # Validated as a document of its own: the schema knows no envelope.
            with self._lock:
                if not schema.validate(etree.ElementTree(part)):
                    error = schema.error_log.last_error
                    return f"line {error.line}: {error.message}" if error is not None else "invalid"
        return None
