"""The table that says where an Exchange server is. `config.connection` offers it on.

The text below a field is its description in the JSON Schema and in messages.
"""

from datetime import timedelta
from typing import Literal

from pydantic import field_validator

from config import rules
from config.types import LocalPath, Period, Section, Text

AUTODISCOVER = "autodiscover"
SERVICE = "/autodiscover.svc"  # how the address of an autodiscover service ends

Access = Literal["own", "delegate", "impersonate"]


class EwsServer(Section):
    """An Exchange server (2016, 2019 or SE) over Exchange Web Services."""

    url: Text
    """https://HOST/EWS/Exchange.asmx; or "autodiscover", or the https address of an autodiscover service."""
    ca_file: LocalPath | None = None
    """A PEM file of certificates; trusted in place of the system's. Relative to the config file."""
    timeout: Period = timedelta(seconds=60)
    """Silence after which a request is given up."""
    auth: Literal["ntlm", "basic"] = "ntlm"
    """How a password is sent. A mailbox with oauth2 sends a bearer token."""

    @field_validator("url")
    @classmethod
    def _is_protected(cls, value: str) -> str:
        return value if value == AUTODISCOVER else rules.protected_url(value)

    @property
    def address(self) -> str:
        """The EWS address; empty where it is to be found by autodiscover."""
        return "" if self.url == AUTODISCOVER or self._names_a_service() else self.url

    @property
    def discovery(self) -> str:
        """The autodiscover service to ask; empty for those of each mailbox's own domain."""
        return self.url if self._names_a_service() else ""

    def _names_a_service(self) -> bool:
        return self.url.lower().endswith(SERVICE)
