"""A name server that knows one A record, over UDP; the standard library alone.

NAME: the record's name. ADDRESS: the address in it. PORT: 53 without it.
"""

from __future__ import annotations

import os
import socket
import struct

A_IN_INTERNET = struct.pack("!HH", 1, 1)
NXDOMAIN = 3


def question(name: str) -> bytes:
    """The question for the A record of a name, as RFC 1035 writes it (section 4.1.2)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return labels + b"\0" + A_IN_INTERNET


def answer(query: bytes, name: str, address: str) -> bytes:
    """The query's id and question, then the record, whose name is a pointer to the question; NXDOMAIN for all else."""
    asked = query[12 : query.index(0, 12) + 5]
    known = asked.lower() == question(name)
    flags = 0x8400 | (0 if known else NXDOMAIN)  # an answer, with authority
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address) if known else b""
    return query[:2] + struct.pack("!HHHHH", flags, 1, int(known), 0, 0) + asked + record


def serve(port: int, name: str, address: str) -> None:
    """Each query, until it is stopped."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("0.0.0.0", port))
        while True:
            query, sender = listener.recvfrom(512)
            listener.sendto(answer(query, name, address), sender)


if __name__ == "__main__":
    serve(int(os.environ.get("PORT", "53")), os.environ["NAME"], os.environ["ADDRESS"])
