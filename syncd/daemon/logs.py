"""The service's own log: JSON for machines, coloured for a person, nothing private in either.

Each line carries what the cycle bound: run and mailbox, and the action. What libraries log is passed on
from WARNING up only, without the traffic that some of them write at DEBUG.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# Libraries that write what goes over the wire, subjects and tokens included, at DEBUG or INFO.
TALKATIVE = (
    "imapclient",
    "urllib3",
    "requests",
    "msal",
    "alembic",
    "sqlalchemy",
    "keyring",
)
ALWAYS = ("run", "mailbox", "action")


def configure(
    level: str = "info", style: Literal["auto", "json", "console"] = "auto", stream: TextIO | None = None
) -> None:
    """Sets logging up for this process. `auto` is coloured lines on a terminal, JSON elsewhere."""
    out = sys.stderr if stream is None else stream
    coloured = style == "console" or (style == "auto" and out.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=out.isatty())
        if coloured
        else structlog.processors.JSONRenderer()
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _complete,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _without_trace, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it reports each skipped tick


def _complete(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Every line has the same three keys, so that a search never misses one."""
    for key in ALWAYS:
        event.setdefault(key, "-")
    return event


def _without_trace(
    _logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A traceback shows local facts of a message's bytes; the place and the kind of an error are enough."""
    trace = event.pop("exc_info", None)
    if isinstance(trace, BaseException):
        trace = (type(trace), trace, trace.__traceback__)
    if trace is True:
        trace = sys.exc_info()
    if isinstance(trace, tuple) and trace[0] is not None:
        event["raised"] = trace[0].__name__  # not `exception`: the console shows that below the line
        event["at"] = _places(trace[2])
    return event


def _places(trace: Any) -> str:
    places = []
    while trace is not None:
        places.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(places[-6:])
