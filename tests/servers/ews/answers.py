"""Response messages and envelopes."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from tests.servers.ews.errors import EwsError, SoapFault
from tests.servers.ews.xmlwork import ERRORS, SOAP, m, make, t, typed

# Exchange Server 2019 as exchangelib and others read it; its schema version is that of 2016.
_VERSION = {
    "MajorVersion": "15", "MinorVersion": "1", "MajorBuildNumber": "2507", "MinorBuildNumber": "6",
    "Version": "V2017_07_11",
}  # fmt: skip


def success(operation: str, content: Iterable[Element] = ()) -> Element:
    """A response message that says NoError."""
    parts = [make(m("ResponseCode"), "NoError"), *content]
    return make(m(f"{operation}ResponseMessage"), parts, {"ResponseClass": "Success"})


def failure(
    operation: str,
    error: EwsError,
    content: Iterable[Element] = (),
    values: dict[str, str] | None = None,
    severity: str = "Error",
) -> Element:
    """A response message that says what is wrong."""
    parts = [
        make(m("MessageText"), error.text),
        make(m("ResponseCode"), error.code),
        make(m("DescriptiveLinkKey"), "0"),
    ]
    if values:
        parts.append(make(m("MessageXml"), [typed("Value", v, Name=n) for n, v in values.items()]))
    return make(m(f"{operation}ResponseMessage"), [*parts, *content], {"ResponseClass": severity})


def response(operation: str, messages: Iterable[Element]) -> Element:
    """The operation's response."""
    return make(m(f"{operation}Response"), [make(m("ResponseMessages"), messages)])


def flat(operation: str, message: Element) -> Element:
    """The response of an operation that has no list of messages."""
    return make(m(f"{operation}Response"), list(message), dict(message.attrib))


def envelope(body: Element) -> Element:
    """The envelope with the server's version, as every answer has it."""
    header = make(f"{{{SOAP}}}Header", [typed("ServerVersionInfo", (), **_VERSION)])
    return make(f"{{{SOAP}}}Envelope", [header, make(f"{{{SOAP}}}Body", [body])])


def fault(error: SoapFault) -> Element:
    """The SOAP fault of a request that fails as a whole."""
    detail = [make(f"{{{ERRORS}}}ResponseCode", error.code), make(f"{{{ERRORS}}}Message", error.text)]
    if error.values:
        if error.code == "ErrorSchemaValidation":
            parts = [typed(name, value) for name, value in error.values.items()]
        else:
            parts = [typed("Value", value, Name=name) for name, value in error.values.items()]
        detail.append(make(t("MessageXml"), parts))
    return make(
        f"{{{SOAP}}}Fault",
        [
            make("faultcode", f"a:{error.code}", {"xmlns:a": TYPES_URI}),
            make("faultstring", error.text),
            make("detail", detail),
        ],
    )


TYPES_URI = "http://schemas.microsoft.com/exchange/services/2006/types"
