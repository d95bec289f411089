"""Autodiscover: GetUserSettings over SOAP [MS-OXWSADISC], and the older plain XML [MS-OXDSCLI]."""

from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from tests.servers.ews.store import Store
from tests.servers.ews.xmlwork import SOAP, make, parse, tobytes

SOAP_PATH = "/autodiscover/autodiscover.svc"
POX_PATH = "/autodiscover/autodiscover.xml"
_NS = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
_ADDRESSING = "http://www.w3.org/2005/08/addressing"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_POX = "http://schemas.microsoft.com/exchange/autodiscover"
_POX_RESPONSE = f"{_POX}/responseschema/2006"
_POX_OUTLOOK = f"{_POX}/outlook/responseschema/2006a"
_SCHEMAS = "Exchange2007, Exchange2007_SP1, Exchange2010, Exchange2010_SP1, Exchange2010_SP2, Exchange2013, "


def a(name: str, content: str | list[Element] = "", attributes: dict[str, str] | None = None) -> Element:
    """An element of Autodiscover's namespace."""
    return make(f"{{{_NS}}}{name}", content, attributes)


class Autodiscover:
    """Tells the address of the web services. `redirects` sends an address on to another one or to a URL."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url
        self.redirects: dict[str, str] = {}
        self.asked: list[str] = []

    def soap(self, content: bytes) -> bytes:
        """The answer to a GetUserSettings request."""
        root = parse(content)
        addresses = [box.text or "" for box in root.iter(f"{{{_NS}}}Mailbox")]
        wanted = [setting.text or "" for setting in root.iter(f"{{{_NS}}}Setting")]
        users = [self._user(address.strip().lower(), wanted) for address in addresses]
        body = a(
            "GetUserSettingsResponseMessage",
            [a("Response", [a("ErrorCode", "NoError"), a("ErrorMessage"), a("UserResponses", users)])],
        )
        version = [("MajorVersion", "15"), ("MinorVersion", "1"), ("MajorBuildNumber", "2507")]
        header = [
            make(f"{{{_ADDRESSING}}}Action", f"{_NS}/Autodiscover/GetUserSettingsResponse"),
            a("ServerVersionInfo", [a(name, value) for name, value in version]),
        ]
        return tobytes(
            make(
                f"{{{SOAP}}}Envelope",
                [make(f"{{{SOAP}}}Header", header), make(f"{{{SOAP}}}Body", [body])],
            )
        )

    def _user(self, address: str, wanted: list[str]) -> Element:
        self.asked.append(address)
        target = self.redirects.get(address)
        if target is not None:
            code = "RedirectUrl" if target.startswith("http") else "RedirectAddress"
            parts = [a("ErrorCode", code), a("ErrorMessage", "Redirection."), a("RedirectTarget", target)]
            return a("UserResponse", parts)
        box = self._store.mailboxes.get(address)
        if box is None:
            text = f"The email address {address!r} can't be found."
            return a("UserResponse", [a("ErrorCode", "InvalidUser"), a("ErrorMessage", text)])
        known = {
            "AutoDiscoverSMTPAddress": box.address,
            "UserDisplayName": box.name,
            "InternalEwsUrl": self._url,
            "ExternalEwsUrl": self._url,
            "EwsSupportedSchemas": _SCHEMAS + "Exchange2013_SP1, Exchange2015, Exchange2016",
            "CasVersion": "15.1.2507.6",
        }
        kind = {f"{{{_XSI}}}type": "StringSetting"}
        settings = [
            a("UserSetting", [a("Name", name), a("Value", known[name])], kind)
            for name in wanted
            if name in known
        ]
        errors = [
            a(
                "UserSettingError",
                [
                    a("ErrorCode", "SettingIsNotAvailable"),
                    a("ErrorMessage", f"The setting {name} is not available."),
                    a("SettingName", name),
                ],
            )
            for name in wanted
            if name not in known
        ]
        return a(
            "UserResponse",
            [
                a("ErrorCode", "NoError"),
                a("ErrorMessage", "No error."),
                a("RedirectTarget", "", {f"{{{_XSI}}}nil": "true"}),
                a("UserSettingErrors", errors),
                a("UserSettings", settings),
            ],
        )

    def pox(self, content: bytes) -> bytes:
        """The answer to a request of plain XML."""
        root = parse(content)
        address = next((e.text or "" for e in root.iter() if e.tag.endswith("}EMailAddress")), "").lower()
        self.asked.append(address)
        box = self._store.mailboxes.get(address.strip())
        target = self.redirects.get(address)
        if target is not None:
            url = target.startswith("http")
            account = [
                _pox("AccountType", "email"),
                _pox("Action", "redirectUrl" if url else "redirectAddr"),
                _pox("RedirectUrl" if url else "RedirectAddr", target),
            ]
            parts = [_pox("Account", account)]
        elif box is None:
            error = [ET.Element("ErrorCode"), ET.Element("Message")]
            error[0].text, error[1].text = "500", "The email address can't be found."
            parts = [make(f"{{{_POX_RESPONSE}}}Error", error)]
        else:
            user = [_pox("DisplayName", box.name), _pox("AutoDiscoverSMTPAddress", box.address)]
            protocols = [
                _pox("Protocol", [_pox("Type", kind), _pox("ASUrl", self._url), _pox("EwsUrl", self._url)])
                for kind in ("EXCH", "EXPR")
            ]
            account = [_pox("AccountType", "email"), _pox("Action", "settings"), *protocols]
            parts = [_pox("User", user), _pox("Account", account)]
        response = make(f"{{{_POX_OUTLOOK}}}Response", parts)
        return tobytes(make(f"{{{_POX_RESPONSE}}}Autodiscover", [response]))


def _pox(name: str, content: str | list[Element]) -> Element:
    return make(f"{{{_POX_OUTLOOK}}}{name}", content)
