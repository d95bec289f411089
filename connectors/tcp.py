"""Connections on which hours may pass without a word."""

import socket

IDLE, BETWEEN, PROBES = 120, 30, 4  # seconds, seconds, number

# Not every platform has all of them.
_OPTIONS = (("TCP_KEEPIDLE", IDLE), ("TCP_KEEPINTVL", BETWEEN), ("TCP_KEEPCNT", PROBES))


def keep_alive(sock: socket.socket) -> None:
    """Has the system ask whether the other side is still there, after two minutes without a word: a firewall
    that forgets idle connections does so after four or more, and Linux by itself would ask after two hours
    (tcp(7))."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
