"""Tells systemd how the service is (sd_notify(3)): datagrams to $NOTIFY_SOCKET, if there is one."""

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Speaks to the service manager that started this process, if one did."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        micros = environ.get("WATCHDOG_USEC", "")
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog = int(micros) / 1e6 / 2 if micros.isdigit() and mine else None
        """Seconds between two signs of life, half of what systemd allows; None where it does not watch."""

    def tell(self, state: str) -> None:
        """Sends one state, as "READY=1" or "STATUS=…". A manager that does not listen is no error."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            try:
                channel.sendto(state.encode(), address)
            except OSError:
                return

    def show_life(self) -> None:
        """A sign of life, for a manager that watches."""
        if self.watchdog is not None:
            self.tell("WATCHDOG=1")
