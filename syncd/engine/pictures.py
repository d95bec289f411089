"""From a picture that was drawn anew to one as it is stored."""

from connectors.pictures import Picture
from store.photos import Drawn


def drawn(picture: Picture) -> Drawn:
    """The same, for the store, which knows no connectors."""
    return Drawn(picture.mime, picture.width, picture.height, picture.sha256, picture.content)
