"""What goes wrong in a request: one item of it, or all of it."""


class EwsError(Exception):
    """One item or folder of a request fails; the others of the same request go on."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text or code


class SoapFault(Exception):
    """The whole request fails: a SOAP fault with HTTP status 500, and nothing was done."""

    def __init__(self, code: str, text: str = "", values: dict[str, str] | None = None) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text or code
        self.values = values or {}
