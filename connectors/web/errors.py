"""What can go wrong with a website."""

from connectors.errors import SyncdError


class WebError(SyncdError):
    """A page or a picture cannot be had. `again` tells whether another day may be better."""

    def __init__(self, message: str, *, again: bool = True) -> None:
        super().__init__(message)
        self.again = again


class Refused(WebError):
    """It is not asked for at all: no address of a public website. Only another website would help."""

    def __init__(self, message: str) -> None:
        super().__init__(message, again=False)


class Distrusted(WebError):
    """Its certificate cannot be verified: it is not asked without one instead."""
