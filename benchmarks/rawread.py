"""Reads every message of Inbox and Sent and keeps nothing: the least that any client can take.

`rawread.py PORT USERNAME PASSWORD [CA_FILE]`, printing the octets read. Framing only (RFC 3501 literals).
"""

import re
import socket
import ssl
import sys

_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


def main() -> None:
    """Reads the mailbox of the command line."""
    port, username, password, *ca_file = sys.argv[1:]
    connection = socket.create_connection(("127.0.0.1", int(port)), timeout=60)
    if ca_file:
        context = ssl.create_default_context(cafile=ca_file[0])
        connection = context.wrap_socket(connection, server_hostname="localhost")
    with connection, connection.makefile("rb", buffering=1 << 18) as stream:
        stream.readline()
        octets = 0
        commands = [f'LOGIN "{username}" "{password}"']
        for folder in ("INBOX", "Sent"):
            commands += [f"EXAMINE {folder}", "UID FETCH 1:* (UID BODY.PEEK[])"]
        for number, command in enumerate(commands):
            tag = f"A{number} "
            connection.sendall(f"{tag}{command}\r\n".encode())
            while not (line := stream.readline()).startswith(tag.encode()):
                if not line:
                    raise SystemExit("the server hung up")
                if literal := _LITERAL.search(line):
                    octets += len(stream.read(int(literal[1])))
            if b" OK" not in line[:8]:
                raise SystemExit(line.decode())
        print(octets)


if __name__ == "__main__":
    main()
