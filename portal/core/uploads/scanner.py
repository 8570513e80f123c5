"""The virus scanner: clamd's INSTREAM over its socket.

Not set: no scan. Set and silent: the file waits in quarantine.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

#: Seconds for connecting and for each answer.
PATIENCE = 20
_CHUNK = 64 * 1024

CLEAN, INFECTED, SILENT, OFF = "clean", "infected", "silent", "off"


@dataclass(frozen=True)
class Verdict:
    """What the scanner said. `state` is clean, infected, silent (configured, no answer) or off (not configured).

    :ivar detail: name of what was found, or why there was no answer.
    """

    state: str
    detail: str = ""


def scan(content: bytes, address: str) -> Verdict:
    """Ask clamd about a content.

    :param address: path of its socket, or "host:port"; "" means there is no scanner.
    """
    if not address.strip():
        return Verdict(OFF)
    try:
        with _connect(address.strip()) as connection:
            connection.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), _CHUNK):
                chunk = content[start : start + _CHUNK]
                connection.sendall(struct.pack("!L", len(chunk)) + chunk)
            connection.sendall(struct.pack("!L", 0))
            answer = _read(connection)
    except (OSError, ValueError) as error:
        return Verdict(SILENT, type(error).__name__)
    words = answer.strip("\0\r\n ")
    if words.endswith(" OK"):
        return Verdict(CLEAN)
    if words.endswith(" FOUND"):
        return Verdict(INFECTED, words.removesuffix(" FOUND").partition(": ")[2][:200])
    # "INSTREAM size limit exceeded", "… ERROR" or nothing: it did not look at the whole file.
    return Verdict(SILENT, words[:200])


def _connect(address: str) -> socket.socket:
    if address.startswith("/"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(PATIENCE)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            raise
        return connection
    host, _colon, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]") or "localhost", int(port)), timeout=PATIENCE)


def _read(connection: socket.socket) -> str:
    parts: list[bytes] = []
    while sum(map(len, parts)) < 4096:
        part = connection.recv(1024)
        if not part:
            break
        parts.append(part)
        if part.endswith(b"\0"):
            break
    return b"".join(parts).decode("utf-8", "replace")
