"""The service's own log: what every line carries, how it looks, what it never shows."""

import io
import json
import logging
from typing import Literal

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from syncd.daemon import logs

pytestmark = pytest.mark.usefixtures("restored_logging")

SECRET = "hunter2-and-the-subject-of-a-mail"


def logger() -> structlog.stdlib.BoundLogger:
    made: structlog.stdlib.BoundLogger = structlog.get_logger("syncd.test")
    return made


def configured(
    level: str = "info", style: Literal["auto", "json", "console"] = "json"
) -> tuple[structlog.stdlib.BoundLogger, io.StringIO]:
    """A logger and what it writes to."""
    out = io.StringIO()
    logs.configure(level, style, out)
    return logger(), out


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_every_line_carries_run_mailbox_and_action() -> None:
    log, out = configured()
    with bound_contextvars(run="a1b2", mailbox="claire"):
        log.info("cycle ended", action="cycle", logged=3)
    log.info("started", action="start")
    logging.getLogger("some.library").warning("it is late")
    first, second, third = lines(out)
    assert (first["run"], first["mailbox"], first["action"]) == ("a1b2", "claire", "cycle")
    assert first["logged"] == 3
    assert (second["run"], second["mailbox"], second["action"]) == ("-", "-", "start")
    assert (third["run"], third["mailbox"], third["action"]) == ("-", "-", "-")
    assert third["event"] == "it is late"
    assert all(
        line.keys() >= {"timestamp", "level", "logger", "event", "run", "mailbox", "action"}
        for line in (first, second, third)
    )


def test_what_a_library_logs_in_a_cycle_carries_the_mailbox_too() -> None:
    _, out = configured()
    with bound_contextvars(run="a1b2", mailbox="claire"):
        logging.getLogger("some.library").warning("it is late")
    (line,) = lines(out)
    assert (line["run"], line["mailbox"]) == ("a1b2", "claire")


def test_times_are_utc_in_iso_8601() -> None:
    log, out = configured()
    log.info("started")
    (line,) = lines(out)
    assert str(line["timestamp"]).endswith("Z")


def test_lines_below_the_level_are_not_written() -> None:
    log, out = configured("warning")
    log.debug("one")
    log.info("two")
    log.warning("three")
    log.error("four")
    assert [line["event"] for line in lines(out)] == ["three", "four"]


def test_at_debug_libraries_that_show_traffic_stay_silent() -> None:
    log, out = configured("debug")
    for name in logs.TALKATIVE:
        logging.getLogger(name).debug(SECRET)
        logging.getLogger(name).info(SECRET)
        logging.getLogger(f"{name}.deeper").debug(SECRET)
    log.debug("ours")
    assert [line["event"] for line in lines(out)] == ["ours"]


def test_the_console_format_is_for_people() -> None:
    log, out = configured(style="console")
    log.info("cycle ended", action="cycle", logged=3)
    (text,) = out.getvalue().splitlines()
    assert "cycle ended" in text
    assert "logged=3" in text
    assert "\x1b[" not in text, "no colours where it is not a terminal"
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


def test_auto_is_json_where_nobody_looks_and_coloured_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    log, out = configured(style="auto")
    log.info("started")
    assert lines(out)[0]["event"] == "started"
    terminal = Terminal()
    logs.configure("info", "auto", terminal)
    logger().info("started")
    assert "\x1b[" in terminal.getvalue()


@pytest.mark.parametrize("style", ["json", "console"])
def test_an_exception_is_logged_by_kind_and_place_not_by_what_it_says(
    style: Literal["json", "console"],
) -> None:
    log, out = configured(style=style)
    try:
        int(SECRET)  # the error quotes it
    except ValueError:
        log.exception("a defect", action="cycle")
        logging.getLogger("some.library").exception("a defect of theirs")
    written = out.getvalue()
    assert SECRET not in written
    assert "Traceback" not in written
    assert written.count("ValueError") == 2
    assert f"{__name__}:" in written


def test_on_the_console_an_exception_stays_on_the_line_of_its_message() -> None:
    log, out = configured(style="console")
    try:
        int(SECRET)
    except ValueError:
        log.exception("a defect", action="cycle")
    (text,) = out.getvalue().splitlines()
    assert "a defect" in text
    assert "raised=ValueError" in text
    assert f"at={__name__}:" in text


def test_configuring_twice_does_not_write_twice() -> None:
    configured()
    log, out = configured()
    log.info("once")
    assert len(lines(out)) == 1
