"""In which language a command speaks: that of whoever sits there, of --as, of the workspace, else English."""

from contextvars import ContextVar

from config.language import ENGLISH, LANGUAGES, said, translated

VARIABLE = "SYNCD_LANGUAGE"
_asked: ContextVar[str | None] = ContextVar("asked", default=None)  # by the variable, for this terminal
_workspace: ContextVar[str | None] = ContextVar("workspace", default=None)
_user: ContextVar[str | None] = ContextVar("user", default=None)


def begin(asked: str | None) -> None:
    """A new command; `asked` is what the variable says. Raises ValueError for no language of ours."""
    for one in (_asked, _workspace, _user):
        one.set(None)
    if asked and asked not in LANGUAGES:
        raise ValueError(f'${VARIABLE}: "{asked[:20]}" is not known; accepted: {", ".join(LANGUAGES)}')
    _asked.set(asked or None)


def of_workspace(language: str) -> None:
    """The config is read: its language, unless a user has another."""
    _workspace.set(language)


def of_user(language: str | None) -> None:
    """Somebody is named by --as: the user's language, if the config names one."""
    _user.set(language)


def chosen() -> str:
    """The language that the command speaks now."""
    return _asked.get() or _user.get() or _workspace.get() or ENGLISH


def told(text: str) -> str:
    """The text in that language; what is no phrase stays as it is."""
    return translated(text, chosen())


def told_of(error: BaseException) -> str:
    """What the error says, in that language."""
    return told(said(error))
