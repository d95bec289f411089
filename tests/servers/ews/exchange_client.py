"""Clients of the test server for the server's own tests: exchangelib, and requests written by hand."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from exchangelib import (
    BASIC,
    DELEGATE,
    Account,
    Configuration,
    Credentials,
    FailFast,
    Version,
    close_connections,
)
from exchangelib.protocol import BaseProtocol
from exchangelib.version import EXCHANGE_2016

from tests.servers.ews.server import EwsServer

ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" '
    'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">'
    '<s:Header><t:RequestServerVersion Version="Exchange2016"/>{header}</s:Header><s:Body>{body}</s:Body>'
    "</s:Envelope>"
)


@contextmanager
def trusting(ca_file: Path | None) -> Iterator[None]:
    """exchangelib trusts the CA: its adapter is a class attribute."""

    class Trusting(requests.adapters.HTTPAdapter):
        def cert_verify(
            self, conn: object, url: str, verify: bool | str, cert: str | tuple[str, str] | None
        ) -> None:
            super().cert_verify(conn, url, verify if ca_file is None else str(ca_file), cert)

    before = BaseProtocol.HTTP_ADAPTER_CLS
    BaseProtocol.HTTP_ADAPTER_CLS = Trusting
    try:
        yield
    finally:
        close_connections()
        BaseProtocol.HTTP_ADAPTER_CLS = before
        with warnings.catch_warnings():
            # exchangelib leaves the answer of a refused login open, and with it the connection.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def account(server: EwsServer, address: str, password: str) -> Account:
    """An exchangelib account over Basic, without autodiscover and without retries."""
    config = Configuration(
        service_endpoint=server.url,
        credentials=Credentials(address, password),
        auth_type=BASIC,
        version=Version(EXCHANGE_2016),
        retry_policy=FailFast(),
    )
    return Account(address, config=config, autodiscover=False, access_type=DELEGATE)


def post(server: EwsServer, login: tuple[str, str], body: str, header: str = "") -> requests.Response:
    """One request written by hand."""
    return requests.post(
        server.url,
        data=ENVELOPE.format(header=header, body=body).encode(),
        auth=login,
        headers={"Content-Type": "text/xml; charset=utf-8"},
        verify=str(server.ca_file),
        timeout=30,
    )
