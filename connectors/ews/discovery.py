"""Autodiscover (MS-OXWSADISC): from an e-mail address to the EWS address of its server.

Only services that prove to be the address's domain's are asked, over https, since they get the login:
https://autodiscover.DOMAIN and https://DOMAIN. The http redirect and the DNS record that MS-OXDISCO also
knows are not followed: whoever forges those would be given the password. Where a company relies on them,
the address is written into the configuration instead.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from exchangelib import Configuration
from exchangelib.autodiscover.protocol import AutodiscoverProtocol
from exchangelib.protocol import FailFast
from exchangelib.services import GetUserSettings
from exchangelib.transport import NOAUTH

from connectors.errors import AuthFailed, ProtocolViolation, SyncdError, Unreachable
from connectors.ews import failures
from connectors.ews.access import DISCOVERY_PATH, EwsAccess, protected
from connectors.ews.http import Channel, NotOfferedError, Session

MOST_REDIRECTS = 5
SETTINGS = ("external_ews_url", "internal_ews_url")


def candidates(access: EwsAccess) -> Iterator[str]:
    """The services to ask, in order."""
    if access.discovery:
        yield access.discovery
        return
    domain = access.address.rpartition("@")[2]
    yield f"https://autodiscover.{domain}{DISCOVERY_PATH}"
    yield f"https://{domain}{DISCOVERY_PATH}"  # often a web site of somebody else's: it gets the login last


def discover(channel: Channel) -> str:
    """The EWS address of the mailbox.

    Raises AuthFailed where a service refuses the login, Untrusted where what it names is not protected, else
    what a service failed with. A web site that lets nobody in says nothing of the login: what another service
    failed with counts more.
    """
    last: SyncdError | None = None
    shut: AuthFailed | None = None
    for service in candidates(channel.access):
        try:
            return _ask(channel, service)
        except NotOfferedError as error:
            shut = error
        except AuthFailed:
            raise
        except SyncdError as error:
            last = error
    raise last or shut or Unreachable(f"There is nobody to ask where {channel.access.who} is. Set `url`.")


def _ask(channel: Channel, service: str) -> str:
    access, address = channel.access, channel.access.address
    for _ in range(MOST_REDIRECTS):
        protocol = _Protocol(channel, protected(service, access))
        try:
            with failures.translated(access):
                found = GetUserSettings(protocol=protocol).get(users=[address], settings=list(SETTINGS))
        finally:
            protocol.close()
        if found.redirect_url:
            service = found.redirect_url
        elif found.redirect_address:
            address = found.redirect_address
            if not access.discovery:
                service = f"https://autodiscover.{address.rpartition('@')[2]}{DISCOVERY_PATH}"
        elif url := _url(found.user_settings or {}):
            return url
        else:
            raise ProtocolViolation(
                f"Autodiscover at {urlsplit(service).hostname} knows no EWS address for {access.address}"
                f" ({found.error_code or 'no setting'}). Set `url`."
            )
    raise ProtocolViolation(f"Autodiscover redirects without end for {access.address}. Set `url`.")


def _url(settings: object) -> str:
    if not isinstance(settings, dict):
        return ""
    return next((str(settings[name]) for name in SETTINGS if settings.get(name)), "")


class _Protocol(AutodiscoverProtocol):  # type: ignore[misc]  # exchangelib has no types
    """The library's, on our own connection and without its cache in a file that anybody may write."""

    def __init__(self, channel: Channel, url: str) -> None:
        self._channel = channel
        super().__init__(
            Configuration(service_endpoint=url, auth_type=NOAUTH, retry_policy=FailFast(), max_connections=1)
        )

    def create_session(self) -> Session:
        return self._channel.session()

    def close_session(self, session: Session) -> None:
        session.close()
